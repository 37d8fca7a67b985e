import { afterAll, beforeAll, expect, test } from 'vitest'
import { fastClock } from '../rack/paper/clock.ts'
import { Fleet } from '../rack/paper/fleet.ts'
import { PaperMachine } from '../rack/paper/machine.ts'
import type { RamdiskKind } from '../rack/paper/site.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Machines that nobody enrolled, at sites that let those boot the ramdisk. */

const SPEED = 50
const WITHIN = { timeout: 60_000, interval: 200 }
let cloud: CloudHere
let fleet: Fleet

beforeAll(async () => {
  cloud = await cloudHere()
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

async function newcomer(of: Fleet, mac: string): Promise<PaperMachine> {
  const clock = fastClock(SPEED)
  const machine = new PaperMachine({ name: `stranger-${mac.slice(-2)}`, mac, password: 'secret', clock, postMs: 1000 })
  await machine.plugIn()
  const [site] = of.sites
  site!.machines.push(machine)
  site!.life.adopt(machine)
  return machine
}

const headers = { 'x-openstack-ironic-api-version': '1.115', 'content-type': 'application/json' }

test.each<[RamdiskKind, string]>([
  ['paper', '52:54:00:dd:00:01'],
  ['ironic-python-agent', '52:54:00:dd:00:02'],
])('a machine that is switched on becomes a node, by its ramdisk (%s), and is made available', async (ramdisk, mac) => {
  await fleet?.tearDown()
  await cloud.stopAndForget()
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 0, speed: SPEED, ramdisk, discovers: true })
  await fleet.join()
  const rule = {
    conditions: [{ op: 'is-true', args: { value: '{plugin_data[auto_discovered]}' } }],
    actions: [{ op: 'set-attribute', args: { path: 'resource_class', value: 'found' } }],
  }
  const made = await fetch(`${cloud.endpoint}/v1/inspection_rules`, {
    method: 'POST',
    headers,
    body: JSON.stringify(rule),
  })
  expect(made.status).toBe(201)

  const machine = await newcomer(fleet, mac)
  machine.collected = { root_disk: { name: '/dev/sda' } }
  machine.bmcAddress = '127.0.0.1'
  machine.switchOn()
  await expect.poll(async () => (await fleet.client.nodes.list()).length, WITHIN).toBe(1)
  const uuid = (await fleet.client.nodes.list())[0]!.uuid
  const node = () => fleet.client.nodes.get(uuid)
  await expect.poll(async () => (await node()).resource_class, WITHIN).toBe('found')
  expect(await node()).toMatchObject({
    provision_state: 'enroll',
    driver: 'ipmi',
    inspect_interface: 'agent',
    conductor_group: 'site-1',
    driver_info: { ipmi_address: '127.0.0.1' },
    properties: { cpus: 4, memory_mb: 8192, capabilities: 'boot_mode:uefi' },
  })
  await expect
    .poll(async () => (await fleet.client.nodes.ports(uuid)).map(({ address }) => address), WITHIN)
    .toEqual([mac])
  await expect
    .poll(async () => (await fleet.client.nodes.inventory(uuid)).plugin_data, WITHIN)
    .toMatchObject({ auto_discovered: true, root_disk: { name: '/dev/sda' } })

  for (const [key, value] of Object.entries(machine.driverInfo(machine.password)))
    await fleet.client.nodes.patch(uuid, [{ op: 'add', path: `/driver_info/${key}`, value }])
  const member = { uuid, site: fleet.sites[0]!, machine }
  await fleet.makeAvailable([member])
  expect(machine.power).toBe('off')
  expect(machine.accidents).toEqual([])
  expect((await fleet.client.nodes.list()).length).toBe(1)
})

test('a machine that has a node is no second one, however it is switched on', async () => {
  const [site] = fleet.sites
  const [machine] = site!.machines
  const before = machine!.boots.length
  machine!.switchOn()
  await expect.poll(() => machine!.boots.length, WITHIN).toBeGreaterThan(before)
  const stranger = await newcomer(fleet, '52:54:00:dd:00:09')
  stranger.collected = {}
  stranger.switchOn()
  await expect.poll(async () => (await fleet.client.nodes.list()).length, WITHIN).toBe(2)
})
