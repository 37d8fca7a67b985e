import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enrol } from '../../appliance/enrol.ts'
import type { Log } from '../../appliance/log.ts'
import { openCredentials } from '../../appliance/uplink/credentials.ts'
import { connectMqtt } from '../../appliance/uplink/mqtt.ts'
import { fastClock } from '../rack/paper/clock.ts'
import { PaperMachine } from '../rack/paper/machine.ts'
import { PaperSite } from '../rack/paper/site.ts'

/** A site's minutes of waiting in seconds; faster, and its signs of life would flood the cloud, whose time is the wall's. */
const SPEED = 20

export interface PaperRack {
  machines: PaperMachine[]
  /** What the appliance logged, a JSON line each. */
  log: string[]
  stop(): Promise<void>
}

/** An appliance's own program, enrolled with a token and connected over MQTT and TLS, with paper machines behind it. */
export async function plugInPaperRack(endpoint: string, token: string, count: number): Promise<PaperRack> {
  const dir = await mkdtemp(join(tmpdir(), 'bloomery-paper-'))
  const stops: Array<() => Promise<unknown>> = [() => rm(dir, { recursive: true, force: true })]
  const lines: string[] = []
  const write =
    (level: string) =>
    (facts: Record<string, unknown>, message: string): void =>
      void lines.push(JSON.stringify({ level, message, ...facts }))
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const clock = fastClock(SPEED)
  const stop = async () => {
    for (const each of stops) await each()
  }
  try {
    const post = async (url: string, body: string, signal: AbortSignal) => {
      const reply = await fetch(url, { method: 'POST', body, signal, headers: { 'content-type': 'application/json' } })
      return { status: reply.status, text: await reply.text() }
    }
    const now = () => clock.now()
    const path = join(dir, 'identity.json')
    const identity = await enrol({ endpoint, token, name: 'paper-appliance', path, now, post })
    const machines = Array.from({ length: count }, (_, index) => {
      const mac = `52:54:00:00:01:${index.toString(16).padStart(2, '0')}`
      return new PaperMachine({ name: `paper-${index}`, mac, password: `paper secret ${index}`, clock, postMs: 5000 })
    })
    for (const machine of machines) {
      await machine.plugIn()
      stops.unshift(() => machine.unplug())
    }
    const link = connectMqtt(identity, openCredentials({ path, identity, clock, log }), Math.random, log)
    stops.unshift(() => link.end())
    const site = await PaperSite.start({ dir, identity, link, clock, log, machines })
    stops.unshift(() => site.stop())
    return { machines, log: lines, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
