import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProvisionState, Verb } from '../../contract/provision.ts'
import { DIGEST, Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Machines without a BMC: people press the button once, and after that the agent restarts them (power interface `agent`). */

let cloud: CloudHere
let fleet: Fleet
let machine: Member['machine']
let node: string
const WITHIN = 90_000

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 50 })
  await fleet.join()
  await fleet.pushImage('paper')
  const [member] = fleet.members
  machine = member!.machine
  // The same machine, as if it had no BMC.
  await fleet.client.nodes.delete(member!.uuid)
  const made = await fleet.client.nodes.create({
    name: 'by-hand',
    driver: 'manual-management',
    power_interface: 'agent',
    conductor_group: 'site-1',
    properties: { cpu_arch: 'x86_64' },
  })
  node = made.uuid
  await fleet.client.ports.create({ node_uuid: node, address: machine.mac })
}, 2 * WITHIN)
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

async function bring(
  verb: Verb,
  state: ProvisionState,
  options?: Parameters<Fleet['client']['nodes']['provision']>[2],
) {
  await fleet.client.nodes.provision(node, verb, options)
  return fleet.awaitState(node, state, WITHIN)
}

test('without fast track it is refused, in the words of Ironic', async () => {
  const { power } = await fleet.client.nodes.validate(node)
  expect(power).toEqual({ result: false, reason: expect.stringMatching(/Fast track mode must be enabled/) })
  await fleet.client.nodes.patch(node, [{ op: 'add', path: '/driver_info/fast_track', value: true }])
  expect((await fleet.client.nodes.validate(node))['power']).toEqual({ result: true })
})

test('switched on by hand once, it is cleaned and deployed by its agent, which restarts it into its disk', async () => {
  await bring('manage', 'manageable')
  await fleet.client.nodes.provision(node, 'provide')
  await fleet.awaitState(node, 'clean wait', WITHIN)
  expect(machine.starts).toBe(0)
  machine.switchOn()
  expect(await fleet.awaitState(node, 'available', WITHIN)).toMatchObject({ power_state: 'power on', last_error: null })
  await fleet.client.nodes.patch(node, [{ op: 'add', path: '/instance_info/image_source', value: 'paper' }])
  expect(await bring('active', 'active')).toMatchObject({ power_state: 'power on', last_error: null })
  expect(machine.disk.image).toBe(DIGEST)
  // Once by hand, once by the agent.
  await expect.poll(() => machine.boots, { timeout: WITHIN }).toEqual(['network', 'network'])
})

test('it can be restarted only while its agent runs, and never be switched off', async () => {
  await expect(fleet.client.nodes.power(node, 'power off')).rejects.toThrow(
    /can only be rebooted: its power interface is its agent/,
  )
  await fleet.client.nodes.power(node, 'rebooting')
  await expect
    .poll(async () => (await fleet.client.nodes.get(node)).last_error, { timeout: WITHIN })
    .toMatch(/no agent runs on the machine that could restart it/)
})
