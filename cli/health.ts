import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { Client } from '../contract/api/client.ts'
import type { HealthView, SensorReading } from '../contract/health.ts'
import { define } from './context.ts'
import { printable, record, tabular } from './output.ts'
import { OutcomeError } from './usage.ts'
import { seconds } from './values.ts'

const EVERY_MS = 1000

/** What a node's BMC says of its hardware, as its site judges it. */
export function healthCommand(): Command {
  const command = new Command('health')
    .argument('<node>', 'name or UUID')
    .description("how a node's hardware does, why, and what its BMC logged last")
  return define(
    command,
    ['bloomery node health n1', 'bloomery node health n1 --json'],
    async ({ client, print }, [ident]) => {
      const told = await client.nodes.health(ident!)
      print(told, healthText(told))
    },
  )
}

export function healthText({ health, since, reported_at, causes, log, drift }: HealthView): string {
  const differences = drift && (drift.differences.join('; ') || `none at ${drift.read_at}`)
  const head = record({ health: health ?? 'unknown', since, reported_at, drift: differences })
  const why = causes.map(({ level, text, since: at }) => [level, at, text])
  const lines = log.map(({ at, level, text, times }) => [
    at ?? 'undated',
    level,
    times > 1 ? `${text} (${times} times)` : text,
  ])
  return [
    head,
    ...(why.length > 0 ? [tabular(['LEVEL', 'SINCE', 'CAUSE'], why)] : []),
    ...(lines.length > 0 ? [tabular(['LOGGED', 'LEVEL', 'ENTRY'], lines)] : []),
  ].join('\n\n')
}

export function sensorsCommand(): Command {
  const command = new Command('sensors')
    .argument('<node>', 'name or UUID')
    .description("a node's sensors, read by its site now")
    .option('--last', 'as they were read the last time')
    .option('--timeout <seconds>', 'how long to wait for the reading', seconds, 180)
  return define(
    command,
    ['bloomery node sensors n1', 'bloomery node sensors n1 --last --json'],
    async ({ client, print }, [ident], { last, timeout }: { last?: boolean; timeout: number }) => {
      const found = last ? await client.nodes.sensors(ident!) : await read(client, ident!, timeout)
      const rows = found.sensors.map(({ name, kind, value, unit, level }) => [
        name,
        kind,
        value === null ? 'no reading' : `${value} ${unit}`,
        level,
      ])
      print(found, `${printable(`read ${found.read_at}`)}\n\n${tabular(['SENSOR', 'KIND', 'READING', 'LEVEL'], rows)}`)
    },
  )
}

interface Sensors {
  read_at: string
  sensors: SensorReading[]
}

async function read(client: Client, ident: string, timeout: number): Promise<Sensors> {
  const known = async (): Promise<Sensors | undefined> => {
    // There is none before the first reading.
    return client.nodes.sensors(ident).catch((error: unknown) => {
      if (error instanceof Error && 'status' in error && error.status === 404) return undefined
      throw error
    })
  }
  const before = await known()
  await client.nodes.readSensors(ident, {})
  const until = Date.now() + timeout * 1000
  while (Date.now() < until) {
    await sleep(EVERY_MS)
    const now = await known()
    if (now && now.read_at !== before?.read_at) return now
    const { operation, last_error: error } = await client.nodes.get(ident)
    if (!operation && error !== null) throw new OutcomeError(`the sensors of ${ident} could not be read: ${error}`)
  }
  throw new OutcomeError(`the sensors of ${ident} were not read within ${timeout} s: bloomery why ${ident}`)
}
