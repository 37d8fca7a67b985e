import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { deployed, way } from './way.ts'

/** Deploy interface `custom-agent`: what is written is up to steps that somebody else's hardware manager has in the ramdisk. */

const WITHIN = 120_000
let cloud: CloudHere
let fleet: Fleet
let member: Member
/** What the installer was told, and what it saw of the node. */
const installed: { args: unknown; configdrive: unknown }[] = []

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 1,
    speed: 100,
    ramdisk: 'ironic-python-agent',
  })
  await fleet.join()
  member = fleet.members[0]!
  member.machine.ownSteps['install_os'] = (args, node) => {
    const { configdrive } = node['instance_info'] as Record<string, unknown>
    installed.push({ args, configdrive })
    member.machine.disk.image = 'installed by a step'
  }
  await fleet.makeAvailable([member], WITHIN)
  await set('deploy_interface', 'custom-agent')
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const set = (path: string, value: unknown) =>
  fleet.client.nodes.patch(member.uuid, [{ op: 'add', path: `/${path}`, value }])
const deploy = (step: string, more = {}) =>
  fleet.client.nodes.provision(member.uuid, 'active', {
    deploy_steps: [{ interface: 'deploy', step, args: { url: 'http://x/os' }, priority: 80 }],
    ...more,
  })

test('without an image the node is deployed by the step that was asked for, which sees its arguments and the config drive', async () => {
  const before = (await fleet.history(member.uuid)).length
  await deploy('install_os', { configdrive: { meta_data: { hostname: 'h1' } } })
  await fleet.reach([member], 'active', WITHIN)
  expect(installed).toEqual([{ args: { url: 'http://x/os' }, configdrive: expect.stringMatching(/^[A-Za-z0-9+/=]+$/) }])
  await expect.poll(() => member.machine.boots.at(-1), { timeout: WITHIN }).toBe('disk installed by a step')
  expect((await fleet.history(member.uuid)).slice(before)).toEqual(way('available', ...deployed))
  expect(member.site.life.ironicAgents.at(-1)?.commands).not.toContain('install_bootloader')
  const { driver_internal_info: info } = await fleet.client.nodes.get(member.uuid)
  expect(info?.['deploy_steps']).toMatchObject([
    { interface: 'deploy', step: 'install_os', args: { url: 'http://x/os' } },
  ])
})

test('a step that the agent hasn’t fails the deploy, whose error names those that it has; the machine is off', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  await deploy('instal_os')
  await expect(fleet.reach([member], 'active', WITHIN)).rejects.toThrow(
    /the ramdisk's agent has no deploy step deploy\.instal_os; it has: .*deploy\.install_os/,
  )
  await expect.poll(() => member.machine.power, { timeout: WITHIN }).toBe('off')
  expect(installed).toHaveLength(1)
})

test('with no step at all the agent only comes and goes, and the machine starts what its disk has', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  member.machine.disk.image = 'as it was'
  const starts = member.machine.boots.length
  await fleet.bring([member], 'active', 'active', WITHIN)
  await expect
    .poll(() => member.machine.boots.slice(starts), { timeout: WITHIN })
    .toEqual(['network', 'disk as it was'])
})

test('in service such a step is done, too', async () => {
  const before = installed.length
  const service_steps = [{ interface: 'deploy', step: 'install_os', args: { url: 'http://x/fix' } }]
  await fleet.client.nodes.provision(member.uuid, 'service', { service_steps })
  await fleet.reach([member], 'active', WITHIN)
  expect(installed.slice(before)).toMatchObject([{ args: { url: 'http://x/fix' } }])
})

test('with deploy interface direct such a step is refused at once, for nothing would be known of it', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  await set('deploy_interface', 'direct')
  await set('instance_info/image_source', 'http://x/image')
  await set('instance_info/image_checksum', 'a'.repeat(64))
  await expect(deploy('install_os')).rejects.toThrow(/deploy\.install_os is unknown/)
  expect(fleet.accidents()).toEqual([])
})
