import { describe, expect, it } from 'vitest'
import type { Plan } from '../../contract/plan.ts'
import { alive } from './control-plane.ts'
import { cloud, newNode, provision, site, states } from './one-site.ts'

const PORT = '52:54:00:aa:01:0'
let ports = 0

async function manageable(uuid: string): Promise<string> {
  await provision(uuid, 'manage')
  await site.carryOut(uuid)
  return uuid
}
const child = async (parent: string, more: Record<string, unknown> = {}): Promise<string> => {
  ports += 1
  cloud.pass(1) // lists are in order of creation
  const { uuid } = await cloud.client.nodes.create({
    driver: 'ipmi',
    driver_info: { ipmi_address: '192.0.2.9', ...(more['driver_info'] as object) },
    parent_node: parent,
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'driver_info')),
  })
  await cloud.client.ports.create({ node_uuid: uuid, address: PORT + String(ports % 10) })
  return manageable(uuid)
}
const put = (node: string, path: string, body: unknown) =>
  cloud.request(`/v1/nodes/${node}/states/${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115' },
    body: JSON.stringify(body),
  })
const told = ({ steps }: Plan): string[] =>
  steps.map(({ interface: kind, step, args }) =>
    step === 'on_node' ? `${String(args['node'])} ${String(args['step'])}` : `${kind}.${step}`,
  )
const onChildren = (more: Record<string, unknown> = {}) => ({
  interface: 'power',
  step: 'power_off',
  execute_on_child_nodes: true,
  ...more,
})
const clean = (node: string, ...clean_steps: unknown[]) => put(node, 'provision', { target: 'clean', clean_steps })

describe('steps on child nodes', () => {
  it('are in the parent’s plan, which tells the site what the children are', async () => {
    const parent = await manageable(await newNode())
    const [one, two] = [await child(parent), await child(parent)]
    expect((await clean(parent, onChildren())).status).toBe(202)
    await cloud.settle()
    const plan = site.plan(parent)
    expect(told(plan)).toEqual([`${one} power_off`, `${two} power_off`])
    expect(plan.relatives?.map(({ node, driver_info }) => [node, driver_info['ipmi_address']])).toEqual([
      [one, '192.0.2.9'],
      [two, '192.0.2.9'],
    ])
    await site.report(plan, 'running', { step: 0 })
    expect((await cloud.client.nodes.get(parent)).clean_step).toMatchObject({ interface: 'power', step: 'power_off' })
    await site.carryOut(parent)
    expect((await states(parent)).provision_state).toBe('manageable')
  })

  it('can be for some of them', async () => {
    const parent = await manageable(await newNode())
    const [, two] = [await child(parent), await child(parent)]
    await clean(parent, onChildren({ limit_child_node_execution: [two] }))
    await cloud.settle()
    expect(told(site.plan(parent))).toEqual([`${two} power_off`])
  })

  it.each([
    ['a stranger', { limit_child_node_execution: ['11111111-0000-4000-8000-000000000000'] }, /is not a child/],
    ['the agent', { interface: 'deploy', step: 'erase_devices_metadata' }, /isn't done by their BMC/],
    ['the plan itself', { step: 'hold' }, /isn't done by their BMC/],
    ['what the child does not know', { interface: 'bios', step: 'factory_reset' }, /unknown for node/],
    [
      'nobody',
      { execute_on_child_nodes: false, limit_child_node_execution: ['11111111-0000-4000-8000-000000000000'] },
      /needs execute_on_child_nodes/,
    ],
  ])('are refused where they are for %s', async (_, more, why) => {
    const parent = await manageable(await newNode())
    await child(parent)
    const reply = await clean(parent, onChildren(more))
    expect(reply.status).toBe(400)
    expect(await reply.text()).toMatch(why)
    expect((await states(parent)).provision_state).toBe('manageable')
  })

  it('are refused where there is no child, and while a child is busy', async () => {
    const parent = await manageable(await newNode())
    expect((await clean(parent, onChildren())).status).toBe(400)
    const busy = await child(parent)
    await provision(busy, 'provide')
    expect((await clean(parent, onChildren())).status).toBe(409)
  })
})

describe('power', () => {
  it('of a parent goes off after that of the children which it feeds', async () => {
    const parent = await manageable(await newNode())
    const fed = await child(parent)
    await child(parent, { driver_info: { has_dedicated_power_supply: true } })
    expect((await put(parent, 'power', { target: 'power off' })).status).toBe(202)
    await cloud.settle()
    expect(told(site.plan(parent))).toEqual([`${fed} set_power_state`, 'power.set_power_state'])
  })

  it('of a child goes on after its parent’s', async () => {
    const parent = await manageable(await newNode())
    const fed = await child(parent)
    expect((await put(fed, 'power', { target: 'power on' })).status).toBe(202)
    await cloud.settle()
    expect(told(site.plan(fed))).toEqual([`${parent} power_on`, 'power.set_power_state'])
    expect(site.plan(fed).relatives).toMatchObject([{ node: parent }])
  })

  it('of a parent stays on while a child must not be off, or is busy', async () => {
    const parent = await manageable(await newNode())
    await child(parent, { disable_power_off: true })
    const reply = await put(parent, 'power', { target: 'power off' })
    expect([reply.status, await reply.text()]).toEqual([409, expect.stringContaining('disable_power_off')])
    const other = await manageable(
      (await cloud.client.nodes.create({ driver: 'ipmi', driver_info: { ipmi_address: '192.0.2.3' } })).uuid,
    )
    await provision(await child(other), 'provide')
    expect((await put(other, 'power', { target: 'soft power off' })).status).toBe(409)
  })

  it('of a child that a site tells of is the child’s', async () => {
    const parent = await manageable(await newNode())
    const one = await child(parent)
    const at = cloud.platform.clock.now().toISOString()
    cloud.pass(5)
    await alive(cloud, site.uuid)
    const report = { id: parent, seq: 900, at: cloud.platform.clock.now().toISOString(), kind: 'power', node: one }
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [{ ...report, power_state: 'power off' }] })
    expect((await cloud.client.nodes.get(one)).power_state).toBe('power off')
    expect(at < report.at).toBe(true)
  })
})

describe('a parent', () => {
  it('lists its children, which lists of nodes leave out', async () => {
    const parent = await newNode()
    const one = await child(parent)
    const get = async (path: string) =>
      (await (await cloud.request(path, { headers: { 'x-openstack-ironic-api-version': '1.115' } })).json()) as Record<
        string,
        unknown
      >
    expect(await get(`/v1/nodes/${parent}/children`)).toMatchObject({ children: [one] })
    const uuids = async (query: string) =>
      ((await get(`/v1/nodes${query}`))['nodes'] as { uuid: string }[]).map(({ uuid }) => uuid)
    expect(await uuids('')).toEqual([parent])
    expect(await uuids('?include_children=true')).toEqual([parent, one])
    expect(await uuids(`?parent_node=${parent}`)).toEqual([one])
  })

  it.each([
    ['itself', (own: string) => own],
    ['nobody', () => '11111111-0000-4000-8000-000000000000'],
  ])('of a node can’t be %s', async (_, of) => {
    const one = await newNode()
    const patch = [{ op: 'add', path: '/parent_node', value: of(one) }]
    const reply = await cloud.request(`/v1/nodes/${one}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115' },
      body: JSON.stringify(patch),
    })
    expect(reply.status).toBe(400)
  })
})
