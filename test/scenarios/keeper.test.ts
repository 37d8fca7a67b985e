import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Log } from '../../appliance/log.ts'
import { createClient, type Client } from '../../contract/api/client.ts'
import { chooseAppliance } from '../../lambdas/conductor/choose.ts'
import { node as anyNode } from '../../lambdas/conductor/testing.ts'
import type { Appliance } from '../../contract/resources.ts'
import { fastClock } from '../rack/paper/clock.ts'
import { FleetSite } from '../rack/paper/fleet-site.ts'
import { PaperMachine } from '../rack/paper/machine.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Two appliances at one site: who looks after a machine, when one of them is away and the machine's password is another meanwhile. */

const patient = { timeout: 60_000, interval: 50 }
const dir = mkdtempSync(join(tmpdir(), 'keeper-'))
const clock = fastClock(100)
/** The cloud's clock can be put forward: whoever says nothing then has been silent for long. */
let ahead = 0
let cloud: CloudHere
let client: Client
let machine: PaperMachine
let first: FleetSite
let second: FleetSite
let uuid: string
const logged = { first: [] as string[], second: [] as string[] }

beforeAll(async () => {
  cloud = await cloudHere({}, () => new Date(Date.now() + ahead))
  client = createClient(cloud)
  machine = new PaperMachine({ name: 'm1', mac: '52:54:00:00:00:01', password: 'before', clock, postMs: 5000 })
  const of = (name: 'first' | 'second') => ({
    name: 'berlin',
    endpoint: cloud.endpoint,
    client,
    dir: join(dir, name),
    clock,
    log: logTo(logged[name]),
  })
  first = await FleetSite.join({ ...of('first'), machines: [machine] })
  second = await FleetSite.join({ ...of('second'), machines: [], beside: 'second' })
})
afterAll(async () => {
  await first?.stop()
  await second?.stop()
  await cloud?.stopAndForget()
  rmSync(dir, { recursive: true, force: true })
})

/** Of a node that this one of the two gets while both are alive. */
function uuidFor(appliance: string): string {
  const alive = (each: FleetSite) =>
    ({ uuid: each.identity.uuid, last_seen: new Date().toISOString() }) as unknown as Appliance
  for (;;) {
    const node = { ...anyNode, uuid: randomUUID() }
    if (chooseAppliance(node, [alive(first), alive(second)], new Date())?.uuid === appliance) return node.uuid
  }
}

function logTo(lines: string[]): Log {
  const write = (facts: Record<string, unknown>, message: string) =>
    void lines.push(JSON.stringify({ message, ...facts }))
  return { debug: () => {}, info: write, warn: write, error: write }
}

async function newPassword(password: string): Promise<void> {
  const { port } = machine
  await machine.unplug()
  machine.password = password
  await machine.plugIn('127.0.0.1', port)
}

const known = (at: FleetSite): string[] => at.life.site.machines.nodes()
/** Through which number the cloud has what this one reported, and the numbers of what it said of its BMC. */
const received = (at: FleetSite): number =>
  Math.max(0, ...at.crossed.down.map((message) => (message.kind === 'received' ? message.reports_through : 0)))
const saidOfBmc = (at: FleetSite): number[] =>
  at.crossed.up
    .flatMap((message) => (message.kind === 'reports' ? message.reports : []))
    .flatMap(({ kind, seq }) => (kind === 'bmc' ? [seq] : []))

test('who takes over looks after the machine, under its new password; the former one, back from a cut, drops it, and what it says late harms nobody', async () => {
  await expect
    .poll(async () => (await client.conductors.list()).map(({ alive }) => alive), patient)
    .toEqual([true, true])
  uuid = uuidFor(first.identity.uuid)
  await client.nodes.create({
    uuid,
    name: 'm1',
    driver: 'ipmi',
    conductor_group: 'berlin',
    driver_info: machine.driverInfo('before'),
  })
  await client.nodes.provision(uuid, 'manage')
  await expect.poll(async () => (await client.nodes.get(uuid)).provision_state, patient).toBe('manageable')
  expect([known(first), known(second)]).toEqual([[uuid], []])
  first.relay.cut()
  const alive = async (): Promise<string[]> => {
    const names = (await client.conductors.list()).flatMap(({ alive: is, hostname }) => (is ? [hostname] : []))
    // What it said before the cut may have come after the clock was put forward.
    if (names.includes('berlin-appliance')) ahead += 120_000
    return names
  }
  await expect.poll(alive, patient).toEqual(['second'])
  await client.nodes.power(uuid, 'power on')
  await expect.poll(() => machine.power, patient).toBe('on')
  await expect.poll(async () => (await client.nodes.get(uuid)).target_power_state, patient).toBeNull()
  expect([known(first), known(second)]).toEqual([[uuid], [uuid]])

  // The former one, which can't be told, has the old password, and finds the BMC to have failed.
  await newPassword('afterwards')
  await client.nodes.patch(uuid, [{ op: 'add', path: '/driver_info/ipmi_password', value: 'afterwards' }])
  await expect.poll(() => logged.first.some((line) => line.includes('power failure told')), patient).toBe(true)
  machine.off()
  await expect.poll(async () => (await client.nodes.get(uuid)).power_state, patient).toBe('power off')

  first.relay.mend()
  await expect.poll(() => known(first), patient).toEqual([])
  await expect.poll(() => saidOfBmc(first).length, patient).toBeGreaterThan(0)
  await expect
    .poll(async () => (await client.conductors.list()).map(({ alive }) => alive), patient)
    .toEqual([true, true])
  await expect.poll(() => received(first), patient).toBeGreaterThanOrEqual(Math.max(...saidOfBmc(first)))
  expect(await client.nodes.get(uuid)).toMatchObject({ maintenance: false, fault: null, last_error: null })
  expect(known(second)).toEqual([uuid])
  const failures = (): number => logged.first.filter((line) => line.includes('not to be read')).length
  const before = failures()
  await clock.sleep(300_000) // two rounds of its power sync
  expect(failures()).toBe(before)
})

test('another address of a BMC reaches who looks after it, without a plan', async () => {
  const elsewhere = new PaperMachine({ name: 'm2', mac: '52:54:00:00:00:02', password: 'else', clock, postMs: 5000 })
  await elsewhere.plugIn()
  try {
    const change = elsewhere.driverInfo('else')
    await client.nodes.patch(
      uuid,
      Object.entries(change).map(([key, value]) => ({ op: 'add' as const, path: `/driver_info/${key}`, value })),
    )
    elsewhere.power = 'on'
    await expect.poll(async () => (await client.nodes.get(uuid)).power_state, patient).toBe('power on')
  } finally {
    await elsewhere.unplug()
  }
})

test('a node that is deleted is looked after by nobody', async () => {
  await client.nodes.delete(uuid)
  await expect.poll(() => [known(first), known(second)], patient).toEqual([[], []])
})
