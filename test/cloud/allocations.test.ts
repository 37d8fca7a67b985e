import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Allocation } from '../../contract/allocation.ts'
import type { Node } from '../../contract/resources.ts'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { type ControlPlane, openControlPlane } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const headers = { 'x-openstack-ironic-api-version': '1.115' }
async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Allocation }> {
  const reply = await cloud.request(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
  const text = await reply.text()
  return { status: reply.status, body: (text === '' ? undefined : JSON.parse(text)) as Allocation }
}
const allocate = (body: Record<string, unknown>) => ask('POST', '/v1/allocations', body)
const shown = async (ident: string) => (await ask('GET', `/v1/allocations/${ident}`)).body
const change = (uuid: string, changes: Partial<Node>) =>
  changeNode(cloud.platform, uuid, (node) => ({ node: { ...node, ...changes } }))
async function available(name: string, more: Partial<Node> = {}): Promise<string> {
  const { uuid } = await cloud.client.nodes.create({ name, driver: 'ipmi', resource_class: 'big' })
  await change(uuid, { provision_state: 'available', power_state: 'power off', ...more })
  return uuid
}

describe('an allocation', () => {
  it('gets a free node of its class with its traits, and makes it an instance', async () => {
    await available('without', {})
    const uuid = await available('with', { traits: ['CUSTOM_GPU', 'HW_CPU'] })
    const made = await allocate({ name: 'a', resource_class: 'big', traits: ['CUSTOM_GPU'] })
    expect(made).toMatchObject({ status: 201, body: { state: 'allocating', node_uuid: null, last_error: null } })
    await cloud.settle()
    expect(await shown('a')).toMatchObject({ state: 'active', node_uuid: uuid, last_error: null })
    expect(await cloud.client.nodes.get('with')).toMatchObject({
      instance_uuid: made.body.uuid,
      allocation_uuid: made.body.uuid,
      instance_info: { traits: ['CUSTOM_GPU'] },
    })
    expect((await ask('GET', '/v1/nodes/with/allocation')).body.uuid).toBe(made.body.uuid)
    expect((await ask('GET', '/v1/nodes/without/allocation')).status).toBe(404)
  })

  it('prefers the node that is called like it', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await available(name)
    await allocate({ name: 'd', resource_class: 'big' })
    await cloud.settle()
    expect((await shown('d')).node_uuid).toBe((await cloud.client.nodes.get('d')).uuid)
  })

  it.each([
    [{ maintenance: true }, {}],
    [{ power_state: null }, {}],
    [{ provision_state: 'manageable' as const }, {}],
    [{ resource_class: 'small' }, {}],
    [{ instance_uuid: '11111111-2222-4333-8444-555555555555' }, {}],
    [{}, { traits: ['CUSTOM_GPU'] }],
    [{}, { owner: 'somebody' }],
  ])('fails, saying why, when the only node has %j and it asks %j', async (changes, more) => {
    await available('n', changes)
    const { body } = await allocate({ resource_class: 'big', ...more })
    await cloud.settle()
    expect(await shown(body.uuid)).toMatchObject({
      state: 'error',
      node_uuid: null,
      last_error: expect.stringMatching(/no available nodes match the resource class big/),
    })
  })

  it('is content with candidates only', async () => {
    await available('x')
    const uuid = await available('y')
    const { body } = await allocate({ resource_class: 'big', candidate_nodes: ['y'] })
    expect(body.candidate_nodes).toEqual([uuid])
    await cloud.settle()
    expect((await shown(body.uuid)).node_uuid).toBe(uuid)
    expect((await allocate({ resource_class: 'big', candidate_nodes: ['nobody'] })).status).toBe(400)
    const again = await allocate({ resource_class: 'big', candidate_nodes: ['y'] })
    await cloud.settle()
    expect((await shown(again.body.uuid)).last_error).toMatch(/none of the requested nodes/)
  })

  it('never shares its node, however many ask at once', async () => {
    for (let at = 0; at < 8; at += 1) await available(`n${at}`)
    const made = await Promise.all(Array.from({ length: 12 }, () => allocate({ resource_class: 'big' })))
    await cloud.settle()
    await cloud.tick()
    const ended = await Promise.all(made.map(({ body }) => shown(body.uuid)))
    const nodes = ended.filter(({ state }) => state === 'active').map(({ node_uuid }) => node_uuid)
    expect(new Set(nodes).size).toBe(8)
    expect(nodes.length).toBe(8)
    expect(ended.filter(({ state }) => state === 'error').length).toBe(4)
    for (const node of await cloud.client.nodes.list({ detail: true }))
      expect(node.instance_uuid).toBe(node.allocation_uuid)
  })

  it('ends by DELETE, which frees the node, unless that is active', async () => {
    const uuid = await available('n')
    await allocate({ name: 'a', resource_class: 'big' })
    await cloud.settle()
    await change(uuid, { provision_state: 'active' })
    expect((await ask('DELETE', '/v1/allocations/a')).status).toBe(409)
    await cloud.client.nodes.maintenance(uuid, undefined)
    expect((await ask('DELETE', '/v1/nodes/n/allocation')).status).toBe(204)
    expect(await cloud.client.nodes.get(uuid)).toMatchObject({
      instance_uuid: null,
      allocation_uuid: null,
      instance_info: {},
    })
    expect((await ask('GET', '/v1/allocations/a')).status).toBe(404)
    expect((await allocate({ name: 'a', resource_class: 'big' })).status).toBe(201)
  })

  it('ends with the instance of its node, and with the node', async () => {
    const uuid = await available('n')
    await allocate({ name: 'a', resource_class: 'big' })
    await cloud.settle()
    await cloud.client.nodes.patch(uuid, [{ op: 'remove', path: '/instance_uuid' }])
    expect((await ask('GET', '/v1/allocations/a')).status).toBe(404)
    await allocate({ name: 'b', resource_class: 'big' })
    await cloud.settle()
    await cloud.client.nodes.maintenance(uuid, undefined)
    await cloud.client.nodes.delete(uuid)
    expect((await ask('GET', '/v1/allocations/b')).status).toBe(404)
  })

  it('is backfilled for a node that is active, and for no other', async () => {
    const instance = '11111111-2222-4333-8444-555555555555'
    const uuid = await available('n', { instance_uuid: instance })
    expect((await allocate({ node: 'n' })).status).toBe(400)
    await change(uuid, { provision_state: 'active' })
    expect((await allocate({ node: 'n', resource_class: 'small' })).status).toBe(400)
    expect(await allocate({ node: 'n', name: 'late' })).toMatchObject({
      status: 201,
      body: { uuid: instance, state: 'active', node_uuid: uuid, resource_class: 'big' },
    })
    expect((await cloud.client.nodes.get('n')).allocation_uuid).toBe(instance)
    expect((await allocate({ node: 'n' })).status).toBe(409)
  })

  it('is changed in its name and extra only, filtered, and needs a class', async () => {
    const { body } = await allocate({ name: 'a', resource_class: 'big', owner: 'o' })
    await cloud.settle()
    const patch = (operations: unknown) => ask('PATCH', '/v1/allocations/a', operations)
    expect((await patch([{ op: 'replace', path: '/resource_class', value: 'x' }])).status).toBe(400)
    expect((await patch([{ op: 'add', path: '/extra/k', value: 1 }])).body.extra).toEqual({ k: 1 })
    expect((await allocate({})).status).toBe(400)
    expect((await allocate({ name: 'a', resource_class: 'big' })).status).toBe(409)
    const list = async (query: string) => {
      const { allocations } = (await ask('GET', `/v1/allocations?${query}`)).body as unknown as {
        allocations: Allocation[]
      }
      return allocations.map(({ uuid }) => uuid)
    }
    expect(await list('owner=o')).toEqual([body.uuid])
    expect(await list('state=error&resource_class=big')).toEqual([body.uuid])
    expect(await list('state=active')).toEqual([])
  })
})

it('a node whose health is worse than the operator allows gets no allocation', async () => {
  await using strict = await openControlPlane(undefined, { allocation_worst_health: 'Warning' })
  const health = { n1: 'Critical', n2: 'Warning' } as const
  for (const name of ['n1', 'n2'] as const) {
    const { uuid } = await strict.client.nodes.create({ name, driver: 'ipmi', resource_class: 'big' })
    const ready = { provision_state: 'available', power_state: 'power off', health: health[name] } as const
    await changeNode(strict.platform, uuid, (node) => ({ node: { ...node, ...ready } }))
  }
  for (const name of ['n1', 'other']) await strict.client.allocations.create({ name, resource_class: 'big' })
  await strict.settle()
  const made = await strict.client.allocations.list()
  expect(made.map(({ state }) => state).toSorted()).toEqual(['active', 'error'])
  expect((await strict.client.nodes.get('n1')).allocation_uuid).toBeNull()
})
