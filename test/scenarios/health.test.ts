import { connect as connectIpmi } from '@bloomery/ipmi/client.ts'
import { addSelEntry } from '@bloomery/ipmi/event-log-commands.ts'
import { openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { afterEach, expect, test } from 'vitest'
import { exposition } from '../../appliance/testing/exposition.ts'
import type { Report } from '../../contract/messages.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

type Health = Extract<Report, { kind: 'health' }>

let fixture: Fixture | undefined
afterEach(() => fixture?.tearDown())

/** A minute takes 150 ms here. */
const EVERY_MS = 60_000
const PATIENCE = { timeout: 60_000, interval: 50 }

async function siteWith(driver: 'ipmi' | 'redfish'): Promise<Fixture> {
  fixture = new Fixture(driver, { healthMs: EVERY_MS })
  await fixture.plugIn()
  await fixture.boot()
  const plan = fixture.plan('verify', [step('power.validate')])
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: plan.generation, plan })
  await fixture.cloud.ended(plan.id)
  return fixture
}

const told = ({ cloud }: Fixture): Health[] => [...cloud.reports.values()].filter((each) => each.kind === 'health')
const last = (on: Fixture): Health | undefined => told(on).at(-1)
const metrics = (on: Fixture): string => on.site!.metrics.text()

test.each(['ipmi', 'redfish'] as const)(
  'a machine whose BMC speaks %s is well, gets hot, loses its power supply’s input, and recovers; only that crosses the WAN',
  async (driver) => {
    const on = await siteWith(driver)
    await expect.poll(() => last(on), PATIENCE).toMatchObject({ health: 'OK', causes: [], log: [] })
    const node = `{node="${on.node}",name="paper-1"`
    expect(metrics(on)).toContain(`bloomery_sensor_celsius${node},sensor="Inlet"} 21\n`)
    expect(metrics(on)).toContain(`bloomery_node_health${node}} 0\n`)
    expect(exposition(metrics(on)).get('bloomery_bmc_looks_total')?.samples.length).toBeGreaterThan(0)
    expect(metrics(on)).toContain(`bloomery_node_watts${node}} ${driver === 'ipmi' ? 212 : 9}\n`)

    on.machine.vitals.inletCelsius = 56
    await expect.poll(() => last(on)?.health, PATIENCE).toBe('Critical')
    const limit = driver === 'ipmi' ? 55 : 45
    expect(last(on)?.causes).toMatchObject([
      {
        subject: 'sensor Inlet',
        text: `Inlet: 56 °C, at or above its upper critical threshold of ${limit} °C`,
      },
    ])

    on.machine.vitals.inputLost = true
    await expect.poll(() => last(on)?.causes.length, PATIENCE).toBe(2)
    expect(
      last(on)
        ?.causes.map(({ text }) => text)
        .join(),
    ).toMatch(/PSU 1: has lost its input/)
    await expect.poll(() => metrics(on)).toContain(`bloomery_node_health${node}} 2\n`)

    on.machine.vitals.inletCelsius = 21
    on.machine.vitals.inputLost = false
    await expect.poll(() => last(on), PATIENCE).toMatchObject({ health: 'OK', causes: [] })
    // However often it looked, the cloud heard of changes alone.
    expect(told(on).map(({ health }) => health)).toEqual(expect.arrayContaining(['OK', 'Critical']))
    expect(told(on).length).toBeLessThanOrEqual(6)
    expect(on.machine.accidents).toEqual([])
  },
)

test('what an IPMI BMC logs is told once, in words, and blamed where it is a trouble', async () => {
  const on = await siteWith('ipmi')
  await expect.poll(() => last(on)?.health, PATIENCE).toBe('OK')
  const socket = openIpmiSocket()
  const session = await connectIpmi({
    socket,
    host: '127.0.0.1',
    port: on.machine.port,
    username: 'admin',
    password: on.machine.password,
    privilege: 'administrator',
    timeoutMs: 10_000,
  })
  // Memory 9: uncorrectable ECC, three times.
  const entry = Buffer.from('000002000000002000040c096f01ffff', 'hex')
  for (let times = 0; times < 3; times += 1) await session.send(addSelEntry, { entry })
  await session.close()
  await socket.close()
  // A look may come between two entries: then they are told in two reports, but each once.
  const logged = () => told(on).flatMap(({ log }) => log)
  const times = () => logged().reduce((sum, line) => sum + line.times, 0)
  await expect.poll(times, PATIENCE).toBe(3)
  for (const line of logged())
    expect(line).toMatchObject({ level: 'Critical', text: 'memory 9: uncorrectable ECC error' })
  await expect
    .poll(() => last(on)?.causes, PATIENCE)
    .toMatchObject([
      { subject: 'log memory 9', level: 'Critical', text: "the BMC's log: memory 9: uncorrectable ECC error" },
    ])
  expect(times()).toBe(3)
})

test('a drive that predicts its end, and what a Redfish BMC logs, are told though they are looked for more seldom', async () => {
  const on = await siteWith('redfish')
  await expect.poll(() => last(on)?.health, PATIENCE).toBe('OK')
  on.machine.vitals.failingDrive = 'Bay2'
  on.machine.redfish.log.push({ id: '1', at: '2026-11-23T10:00:00Z', text: 'Fan 3 failed', severity: 'Critical' })
  await expect
    .poll(() => last(on)?.causes.map(({ level, text }) => `${level}: ${text}`), PATIENCE)
    .toEqual(["Critical: the BMC's log: Fan 3 failed", 'Warning: drive Bay2: predicted to fail'])
  expect(told(on).flatMap(({ log }) => log)).toMatchObject([{ level: 'Critical', text: 'Fan 3 failed', times: 1 }])
})

test('a plan that reads the sensors brings them all', async () => {
  const on = await siteWith('redfish')
  const plan = on.plan('management', [step('management.read_sensors')], 2, 'power')
  on.cloud.send({ kind: 'run', node: on.node, generation: 2, plan })
  await on.cloud.ended(plan.id)
  const [report] = [...on.cloud.reports.values()].filter((each) => each.kind === 'hardware')
  expect(report?.facts.sensors?.map(({ name, kind, value, unit }) => [name, kind, value, unit])).toEqual(
    expect.arrayContaining([
      ['Inlet', 'temperature', 21, '°C'],
      ['Fan 1', 'fan', 4200, 'RPM'],
    ]),
  )
})
