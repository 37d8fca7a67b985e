import { afterEach, beforeEach, expect, it } from 'vitest'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
})
afterEach(() => world[Symbol.asyncDispose]())

async function ask(method: string, path: string, body?: unknown, minor = 39, as = world.admin) {
  const reply = await world.cloud.request(`/placement${path}`, {
    method,
    headers: { 'x-auth-token': as, 'openstack-api-version': `placement 1.${minor}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  await world.cloud.settle()
  return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
}
const get = async (path: string, minor?: number) => (await ask('GET', path, undefined, minor)).body

it('shows a node as a provider of its class, reserved, free or used', async () => {
  const node = await world.node('n1', { traits: ['CUSTOM_FAST'] })
  const path = `/resource_providers/${node}`
  const { resource_providers: all } = await get('/resource_providers')
  expect(all).toMatchObject([{ uuid: node, name: node, root_provider_uuid: node, links: expect.any(Array) }])
  expect(await get(`/resource_providers?name=${node}`)).toMatchObject({ resource_providers: [{ uuid: node }] })
  expect((await get('/resource_providers', 0)).resource_providers[0]).not.toHaveProperty('root_provider_uuid')
  expect(await get(`${path}/inventories`)).toMatchObject({ inventories: { CUSTOM_METAL: { total: 1, reserved: 0 } } })
  expect(await get(`${path}/usages`)).toMatchObject({ usages: { CUSTOM_METAL: 0 } })
  expect(await get(`${path}/traits`)).toMatchObject({ traits: ['CUSTOM_FAST'] })
  await world.flavor()
  const server = await world.asked({ networks: 'none' })
  expect(await get(`${path}/usages`)).toMatchObject({ usages: { CUSTOM_METAL: 1 } })
  const resources = { CUSTOM_METAL: 1 }
  expect(await get(`${path}/allocations`)).toMatchObject({ allocations: { [server]: { resources } } })
  expect(await get(`/allocations/${server}`)).toMatchObject({ allocations: { [node]: { resources } } })
  const { project_id: project } = await get(`/allocations/${server}`)
  expect(await get(`/usages?project_id=${project}`, 37)).toEqual({ usages: resources })
  const other = await world.node('n2', { maintenance: true })
  expect(await get(`/resource_providers/${other}/inventories`)).toMatchObject({
    inventories: { CUSTOM_METAL: { reserved: 1 } },
  })
})

it('names candidates for what is wanted, the best first', async () => {
  const plain = await world.node('plain')
  const fast = await world.node('fast', { traits: ['CUSTOM_FAST'] })
  await world.node('busy', { provision_state: 'active' })
  await world.node('gold', { resource_class: 'gold' })
  const found = async (query: string): Promise<string[]> =>
    (await get(`/allocation_candidates?${query}`)).allocation_requests.flatMap((each: { allocations: object }) =>
      Object.keys(each.allocations),
    )
  expect(await found('resources=CUSTOM_METAL:1')).toEqual([plain, fast])
  expect(await found('resources=CUSTOM_METAL:1&required=CUSTOM_FAST')).toEqual([fast])
  expect(await found('resources=CUSTOM_METAL:1&required=!CUSTOM_FAST')).toEqual([plain])
  expect(await found('resources=CUSTOM_METAL:2')).toEqual([])
  expect(await found('resources=CUSTOM_METAL:1&limit=1')).toEqual([plain])
  const { aggregate } = (
    await world.ask('POST', '/compute/v2.1/os-aggregates', { aggregate: { name: 'row' } }, world.admin)
  ).body
  await world.ask(
    'POST',
    `/compute/v2.1/os-aggregates/${aggregate.id}/action`,
    { add_host: { host: 'fast' } },
    world.admin,
  )
  expect(await found(`resources=CUSTOM_METAL:1&member_of=${aggregate.uuid}`)).toEqual([fast])
  expect(await get(`/resource_providers/${fast}/aggregates`)).toMatchObject({ aggregates: [aggregate.uuid] })
  expect((await ask('GET', '/allocation_candidates?resources=metal')).status).toBe(400)
  expect((await ask('GET', '/allocation_candidates?resources1=X:1')).status).toBe(400)
})

it('takes traits of nodes, and new names; all else is refused with what does it', async () => {
  const node = await world.node('n1')
  const path = `/resource_providers/${node}/traits`
  const { resource_provider_generation } = await get(path)
  const wanted = { resource_provider_generation, traits: ['CUSTOM_NEW', 'HW_CPU_X86_VMX'] }
  expect((await ask('PUT', path, wanted)).status).toBe(200)
  expect((await world.get(node)).traits).toEqual(['CUSTOM_NEW', 'HW_CPU_X86_VMX'])
  expect(await ask('PUT', path, wanted)).toMatchObject({
    status: 409,
    body: {
      errors: [{ status: 409, code: 'placement.concurrent_update', detail: expect.stringContaining('generation') }],
    },
  })
  expect((await get('/traits?name=startswith:CUSTOM_')).traits).toEqual(['CUSTOM_NEW'])
  const status = async (method: string, of: string, body?: unknown) => (await ask(method, of, body)).status
  expect([await status('PUT', '/traits/CUSTOM_X'), await status('PUT', '/traits/CUSTOM_X')]).toEqual([201, 204])
  expect([await status('DELETE', '/traits/CUSTOM_X'), await status('GET', '/traits/CUSTOM_X')]).toEqual([204, 404])
  expect(await status('DELETE', '/traits/CUSTOM_NEW')).toBe(409)
  expect(await status('PUT', '/traits/lower')).toBe(400)
  expect(await status('POST', '/resource_classes', { name: 'CUSTOM_GOLD' })).toBe(201)
  expect((await get('/resource_classes')).resource_classes.map((each: { name: string }) => each.name)).toEqual(
    expect.arrayContaining(['VCPU', 'CUSTOM_METAL', 'CUSTOM_GOLD']),
  )
  expect(await ask('POST', '/resource_providers', { name: 'x' })).toMatchObject({
    status: 400,
    body: { errors: [{ detail: expect.stringContaining('baremetal node create') }] },
  })
  expect(await ask('PUT', `/allocations/${node}`, {})).toMatchObject({ status: 400 })
  expect((await ask('GET', '/resource_providers', undefined, 39, world.token)).status).toBe(403)
  expect((await ask('GET', '/resource_providers', undefined, 99)).status).toBe(406)
  expect((await world.cloud.request('/placement/')).status).toBe(200)
})
