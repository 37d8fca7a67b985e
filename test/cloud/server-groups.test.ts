import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withSite } from './control-plane.ts'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterEach(() => world[Symbol.asyncDispose]())

const compute = '/compute/v2.1'

async function group(policy: string, rules: object = {}): Promise<string> {
  const reply = await world.cloud.request(`${compute}/os-server-groups`, {
    method: 'POST',
    headers: { 'x-auth-token': world.token, 'openstack-api-version': 'compute 2.64' },
    body: JSON.stringify({ server_group: { name: 'g', policy, rules } }),
  })
  return ((await reply.json()) as { server_group: { id: string } }).server_group.id
}
async function inGroup(id: string, more: object = {}): Promise<string> {
  const server = { name: 'web', imageRef: world.image, flavorRef: 'm1', networks: 'none', ...more }
  const { status, body } = await world.ask('POST', `${compute}/servers`, {
    server,
    'os:scheduler_hints': { group: id },
  })
  expect(status).toBe(202)
  return body.server.id
}
const nodeOf = async (server: string) => (await world.server(server))['OS-EXT-SRV-ATTR:hypervisor_hostname']

describe('a server group', () => {
  it('keeps its servers in different racks, until a server is gone', async () => {
    const [a, , c] = [
      await world.node('a', { properties: { rack: 'r1' } }),
      await world.node('b', { properties: { rack: 'r1' }, traits: ['CUSTOM_WORSE'] }),
      await world.node('c', { properties: { rack: 'r2' }, traits: ['CUSTOM_A', 'CUSTOM_B'] }),
    ]
    const id = await group('anti-affinity')
    const [first, second] = [await inGroup(id), await inGroup(id)]
    expect([await nodeOf(first), await nodeOf(second)]).toEqual([a, c])
    const third = await inGroup(id)
    expect(await world.server(third)).toMatchObject({
      status: 'ERROR',
      fault: { message: 'No valid host was found. Of 3 nodes: 2 not available, 1 not where its group may be.' },
    })
    const { members } = (await world.ask('GET', `${compute}/os-server-groups/${id}`)).body.server_group
    expect(members).toEqual([first, second, third])
    await world.ask('DELETE', `${compute}/servers/${third}`)
    await world.deployed(c!)
    await world.ask('DELETE', `${compute}/servers/${second}`)
    await world.tornDown(c!)
    expect(await nodeOf(await inGroup(id))).toBe(c)
  })

  it('of ten that are asked for at once has never two in one rack', async () => {
    for (let at = 0; at < 10; at += 1) await world.node(`n${at}`, { properties: { rack: `r${at % 4}` } })
    const id = await group('anti-affinity')
    const servers = await Promise.all(Array.from({ length: 10 }, () => inGroup(id)))
    await world.cloud.settle()
    const nodes = await Promise.all(servers.map(nodeOf))
    const racks = await Promise.all(
      nodes
        .filter((node) => node !== null && node !== undefined)
        .map(async (node) => (await world.get(node)).properties['rack']),
    )
    expect([racks.length, new Set(racks).size]).toEqual([4, 4])
  })

  it('keeps its servers at one site, or would rather', async () => {
    await withSite(world.cloud, 'paris', 'box-2')
    const berlin = await world.node('berlin-1')
    const paris = await world.node('paris-1', { conductor_group: 'paris', traits: ['CUSTOM_A'] })
    const id = await group('affinity', { scope: 'site' })
    expect(await nodeOf(await inGroup(id))).toBe(berlin)
    expect(await world.server(await inGroup(id))).toMatchObject({ status: 'ERROR' })
    const soft = await group('soft-affinity', { scope: 'site' })
    expect(await nodeOf(await inGroup(soft))).toBe(paris)
    const more = await world.node('berlin-2')
    const near = await world.node('paris-2', { conductor_group: 'paris', traits: ['CUSTOM_A', 'CUSTOM_B'] })
    expect(await nodeOf(await inGroup(soft))).toBe(near)
    expect(await nodeOf(await inGroup(soft))).toBe(more)
  })
})

it('an aggregate makes a zone, and flavors ask for its kind', async () => {
  await world.node('cheap')
  const good = await world.node('good', { traits: ['CUSTOM_A'] })
  const as = world.admin
  const { id } = await world.made(
    `${compute}/os-aggregates`,
    { aggregate: { name: 'row', availability_zone: 'hot' } },
    as,
  )
  const path = `${compute}/os-aggregates/${id}`
  expect((await world.ask('POST', `${path}/action`, { add_host: { host: 'nobody' } }, as)).status).toBe(404)
  expect((await world.ask('POST', `${path}/action`, { add_host: { host: 'good' } }, as)).body.aggregate.hosts).toEqual([
    good,
  ])
  await world.ask('POST', `${path}/action`, { set_metadata: { metadata: { ssd: 'true' } } }, as)
  const zones = (await world.ask('GET', `${compute}/os-availability-zone`)).body.availabilityZoneInfo
  expect(zones.map((each: { zoneName: string }) => each.zoneName)).toEqual(['berlin', 'hot'])
  const server = await world.asked({ networks: 'none', availability_zone: 'hot' })
  expect(await nodeOf(server)).toBe(good)
  await world.flavor({ 'resources:CUSTOM_METAL': '1', 'aggregate_instance_extra_specs:ssd': 'true' }, 'fast')
  expect(await world.server(await world.asked({ networks: 'none', flavorRef: 'fast' }))).toMatchObject({
    fault: { message: 'No valid host was found. Of 2 nodes: 1 not available, 1 not in aggregates of that kind.' },
  })
  expect((await world.ask('DELETE', path, undefined, as)).status).toBe(409)
  expect((await world.ask('POST', `${path}/action`, { remove_host: { host: 'good' } }, as)).status).toBe(200)
  expect((await world.ask('DELETE', path, undefined, as)).status).toBe(200)
  expect((await world.ask('GET', `${compute}/os-aggregates`)).status).toBe(403)
})

it('quotas hold however many are asked for at once, and are given back', async () => {
  for (let at = 0; at < 6; at += 1) await world.node(`n${at}`)
  const probe = await world.asked({ networks: 'none' })
  const project = (await world.server(probe)).tenant_id
  const path = `${compute}/os-quota-sets/${project}`
  const set = (amounts: object, as = world.admin) => world.ask('PUT', path, { quota_set: amounts }, as)
  expect((await set({ instances: 3 }, world.token)).status).toBe(403)
  expect((await set({ instances: 0 })).status).toBe(400)
  expect((await set({ instances: 3, cores: 100 })).body.quota_set).toMatchObject({ instances: 3, cores: 100, ram: -1 })
  const server = { name: 'web', imageRef: world.image, flavorRef: 'm1', networks: 'none' }
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => world.ask('POST', `${compute}/servers`, { server })),
  )
  const refused = replies.filter(({ status }) => status === 403)
  expect([replies.length - refused.length, refused.length]).toEqual([2, 6])
  expect(refused[0]!.body.forbidden.message).toContain('Quota exceeded for instances')
  expect((await world.ask('GET', `${path}/detail`)).body.quota_set.instances).toEqual({
    limit: 3,
    in_use: 3,
    reserved: 0,
  })
  expect((await world.ask('POST', `${compute}/servers`, { server: { ...server, min_count: 2 } })).status).toBe(403)
  const node = await nodeOf(probe)
  await world.deployed(node)
  await world.ask('DELETE', `${compute}/servers/${probe}`)
  await world.tornDown(node)
  const { absolute } = (await world.ask('GET', `${compute}/limits`)).body.limits
  expect(absolute).toMatchObject({ maxTotalInstances: 3, totalInstancesUsed: 2, totalCoresUsed: 2, totalRAMUsed: 2048 })
  expect((await world.ask('DELETE', path, undefined, world.admin)).status).toBe(202)
  expect((await world.ask('GET', path)).body.quota_set.instances).toBe(-1)
})
