import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { way } from './way.ts'

/** The operations for which an agent works, on machines with BMCs and disks of paper. */

let cloud: CloudHere
let fleet: Fleet
let deployed: Member
let fresh: Member

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 2, speed: 50 })
  await fleet.join()
  await fleet.pushImage('debian')
  ;[deployed, fresh] = fleet.members as [Member, Member]
  for (const { uuid } of fleet.members)
    await fleet.client.nodes.patch(uuid, [
      { op: 'add', path: '/inspect_interface', value: 'agent' },
      { op: 'add', path: '/rescue_interface', value: 'agent' },
    ])
  await fleet.makeAvailable([deployed])
  await fleet.startDeploy([deployed], 'debian')
  await fleet.reach([deployed], 'active', WITHIN)
  await fleet.bring([fresh], 'manage', 'manageable', WITHIN)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const WITHIN = 60_000
const known = async ({ uuid }: Member): Promise<number> => (await fleet.history(uuid)).length
const since = async ({ uuid }: Member, from: number): Promise<string[]> => (await fleet.history(uuid)).slice(from)
const disk = () => expect.poll(() => deployed.machine.boots.at(-1)).toMatch(/^disk /)

test('inspect: the agent’s inventory becomes properties and is kept; the machine is off again', async () => {
  const before = await known(fresh)
  await fleet.bring([fresh], 'inspect', 'manageable', WITHIN)
  const states = ['manageable', 'inspecting', 'inspect wait', 'inspecting', 'manageable'] as const
  expect(await since(fresh, before)).toEqual(way(...states))
  const node = await fleet.client.nodes.get(fresh.uuid)
  expect(node.properties).toMatchObject({
    cpus: 4,
    memory_mb: 8192,
    local_gb: 99,
    cpu_arch: 'x86_64',
    capabilities: 'boot_mode:uefi',
  })
  expect(node).toMatchObject({ power_state: 'power off', inspection_finished_at: expect.any(String) })
  const reply = await fetch(`${cloud.endpoint}/v1/nodes/${fresh.uuid}/inventory`, {
    headers: { 'x-openstack-ironic-api-version': '1.81' },
  })
  expect(await reply.json()).toMatchObject({ inventory: { hostname: fresh.machine.name }, plugin_data: {} })
  expect((await fleet.client.nodes.ports(fresh.uuid)).map(({ address }) => address)).toEqual([fresh.machine.mac])
})

test('inspect by a ramdisk that posts what it found: its collectors’ data is kept too, and the rules see it', async () => {
  fresh.machine.collected = { root_disk: { name: '/dev/sda' }, logs: 'an archive that stays on site' }
  const action = { op: 'set-attribute', args: { path: 'extra/root', value: '{plugin_data[root_disk][name]}' } }
  const headers = { 'x-openstack-ironic-api-version': '1.115', 'content-type': 'application/json' }
  const rule = await fetch(`${cloud.endpoint}/v1/inspection_rules`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ actions: [action] }),
  })
  expect(rule.status).toBe(201)
  await fleet.bring([fresh], 'inspect', 'manageable', WITHIN)
  expect((await fleet.client.nodes.get(fresh.uuid)).extra).toEqual({ root: '/dev/sda' })
  const reply = await fetch(`${cloud.endpoint}/v1/nodes/${fresh.uuid}/inventory`, { headers })
  const { plugin_data } = (await reply.json()) as { plugin_data: Record<string, unknown> }
  expect(plugin_data).toMatchObject({ root_disk: { name: '/dev/sda' }, inspected_at: expect.any(String) })
  expect(plugin_data).not.toHaveProperty('logs')
  expect(fresh.machine.accidents).toEqual([])
})

test('inspect is refused where a node has no port to boot from', async () => {
  const { uuid: port } = (await fleet.client.nodes.ports(fresh.uuid))[0]!
  await fleet.client.ports.delete(port)

  await expect(fleet.client.nodes.provision(fresh.uuid, 'inspect')).rejects.toThrow(/port/)
  await fleet.client.ports.create({ node_uuid: fresh.uuid, address: fresh.machine.mac })
})

test('rescue: the machine runs the ramdisk with the password; unrescue: its disk again, and the instance is whole', async () => {
  const image = deployed.machine.disk.image
  const before = await known(deployed)
  await fleet.client.nodes.provision(deployed.uuid, 'rescue', { rescue_password: 'let me in' })
  await fleet.awaitState(deployed.uuid, 'rescue', WITHIN)
  expect(deployed.machine).toMatchObject({ rescuePassword: 'let me in', power: 'on' })
  expect(deployed.machine.boots.at(-1)).toBe('network')
  await fleet.bring([deployed], 'unrescue', 'active', WITHIN)
  await disk()
  expect(deployed.machine.disk.image).toBe(image)
  const states = ['active', 'rescuing', 'rescue wait', 'rescuing', 'rescue', 'unrescuing', 'active'] as const
  expect(await since(deployed, before)).toEqual(way(...states))
  const written = [...cloud.logged, ...fleet.logged].filter((line) => line.includes('let me in'))
  expect(written).toEqual([])
})

test('service without the ramdisk leaves the instance running', async () => {
  const boots = deployed.machine.boots.length
  const service_steps = [{ interface: 'management', step: 'wait', args: { seconds: 2 } }]
  await fleet.client.nodes.provision(deployed.uuid, 'service', { service_steps })
  await fleet.awaitState(deployed.uuid, 'active', WITHIN)
  expect(deployed.machine.boots).toHaveLength(boots)
  expect(deployed.machine.power).toBe('on')
})

test('a machine that runs already is adopted without its being touched', async () => {
  const { uuid } = deployed
  const boots = deployed.machine.boots.length
  await fleet.client.nodes.maintenance(uuid, 'moves to another record')
  await fleet.client.nodes.delete(uuid)
  const again = { ...deployed, uuid: await fleet.create(deployed.site, deployed.machine) }
  await fleet.bring([again], 'manage', 'manageable', WITHIN)
  await fleet.bring([again], 'adopt', 'active', WITHIN)
  expect(await fleet.client.nodes.get(again.uuid)).toMatchObject({ power_state: 'power on', last_error: null })
  expect(deployed.machine.boots).toHaveLength(boots)
  expect(fleet.accidents()).toEqual([])
})
