import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Nodes that are parts of one another, by the real cloud and the real appliance. */

let cloud: CloudHere
let fleet: Fleet

beforeAll(async () => {
  cloud = await cloudHere()
  // Commands of power are good for ten minutes of a clock that runs so much faster than the cloud's.
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 0, speed: 5 })
  await fleet.join()
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const WITHIN = 60_000

async function manageable(more: Record<string, unknown> = {}): Promise<string> {
  const { uuid } = await fleet.client.nodes.create({ driver: 'fake-hardware', conductor_group: 'site-1', ...more })
  await fleet.client.nodes.provision(uuid, 'manage')
  await fleet.awaitState(uuid, 'manageable', WITHIN)
  return uuid
}

test('a child’s power comes with its parent’s, and steps for children are done to them by their own BMC', async () => {
  const parent = await manageable({ automated_clean: false })
  const child = await manageable({ parent_node: parent })
  const powers = async (): Promise<unknown[]> =>
    Promise.all([parent, child].map(async (uuid) => (await fleet.client.nodes.get(uuid)).power_state))
  const power = async (uuid: string, target: 'power on' | 'power off', then: unknown[]) => {
    await fleet.client.nodes.power(uuid, target)
    await expect.poll(powers, { timeout: WITHIN }).toEqual(then)
  }
  await power(child, 'power on', ['power on', 'power on'])
  await power(parent, 'power off', ['power off', 'power off'])
  await power(child, 'power on', ['power on', 'power on'])

  const offChildren = { interface: 'power', step: 'power_off', execute_on_child_nodes: true }
  await fleet.client.nodes.provision(parent, 'clean', { clean_steps: [offChildren] } as object)
  await fleet.awaitState(parent, 'manageable', WITHIN)
  await expect.poll(powers, { timeout: WITHIN }).toEqual(['power on', 'power off'])
})
