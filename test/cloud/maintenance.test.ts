import { afterEach, describe, expect, it } from 'vitest'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { alive, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

let cloud: ControlPlane
let site: PaperSite
afterEach(() => cloud[Symbol.asyncDispose]())

/** A node that waits for its machine, put into maintenance. */
async function waiting(options: Partial<ConductorOptions> = {}): Promise<string> {
  cloud = await openControlPlane(undefined, options)
  site = new PaperSite(cloud, (await withSite(cloud)).appliance)
  const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi', driver_info: { ipmi_address: '192.0.2.1' } })
  await cloud.client.ports.create({ node_uuid: uuid, address: '52:54:00:aa:00:01' })
  for (const verb of ['manage', 'provide'] as const) {
    await cloud.client.nodes.provision(uuid, verb)
    await cloud.settle()
    if (verb === 'manage') await site.carryOut(uuid)
  }
  await site.report(site.plan(uuid), 'waiting', { step: 3 })
  expect((await cloud.request(`/v1/nodes/${uuid}/maintenance`, { method: 'PUT' })).status).toBe(202)
  return uuid
}
const get = (uuid: string) => cloud.client.nodes.get(uuid)
const leave = (uuid: string) => cloud.request(`/v1/nodes/${uuid}/maintenance`, { method: 'DELETE' })

async function pass(seconds: number): Promise<void> {
  cloud.pass(seconds)
  await alive(cloud, site.uuid)
  await cloud.tick()
}

describe('while a node is in maintenance', () => {
  it('its waits don’t run out; they do when it has left it', async () => {
    const node = await waiting()
    for (let hour = 0; hour < 12; hour += 1) await pass(3600)
    expect(await get(node)).toMatchObject({ provision_state: 'clean wait', last_error: null })
    await leave(node)
    await pass(3600)
    expect(await get(node)).toMatchObject({
      provision_state: 'clean failed',
      last_error: expect.stringContaining('Timeout reached while waiting for callback'),
    })
  })

  it('what its site reports still counts', async () => {
    const node = await waiting()
    await site.carry(site.plan(node))
    expect(await get(node)).toMatchObject({ provision_state: 'available', maintenance: true })
  })

  it('a change of power that a site never reports still ends', async () => {
    const node = await waiting()
    await site.carry(site.plan(node))
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    await pass(3600)
    expect(await get(node)).toMatchObject({ target_power_state: null, last_error: expect.stringContaining('power') })
  })

  it('nothing goes on where the operator forbids it: the next report ends the operation, and the site is told', async () => {
    const node = await waiting({ allow_provisioning_in_maintenance: false })
    await site.report(site.plan(node), 'waiting', { step: 3 })
    expect(await get(node)).toMatchObject({
      provision_state: 'clean failed',
      last_error: expect.stringContaining('maintenance'),
      fault: 'clean failure',
    })
    expect(site.commands().at(-1)).toMatchObject({ kind: 'cancel', node, lane: 'provision' })
  })
})
