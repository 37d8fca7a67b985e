import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_PASSWORD, type KeystoneCloud, openKeystone, SYSTEM } from './keystone.ts'
import { withSite } from './control-plane.ts'

/** Who gets which answer to what, as tables: role × resource × verb (reference §1.20). What is not seen is 404, what is seen and not allowed 403. */

const roles = {
  system: ['admin', 'member', 'reader'],
  owner: ['admin', 'manager', 'member', 'reader'],
  lessee: ['manager', 'member', 'reader'],
  stranger: ['admin'],
} as const
type Place = keyof typeof roles
/** Columns of the tables, place by place. */
const people = Object.entries(roles).flatMap(([place, held]) => held.map((role) => `${place} ${role}`))

let stone: KeystoneCloud
let admin: string
const tokens: Record<string, string> = {}
const projects: Partial<Record<Place | 'elsewhere', string>> = {}
/** What paths and bodies name in braces. */
const subjects: Record<string, string> = {}

async function ask(token: string, method: string, path: string, body?: unknown) {
  const headers = { 'x-openstack-ironic-api-version': '1.115', 'x-auth-token': token }
  const reply = await stone.cloud.request(filled(path), {
    method,
    headers,
    ...(body === undefined ? {} : { body: filled(JSON.stringify(body)) }),
  })
  const text = await reply.text()
  return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) }
}
const filled = (text: string): string => text.replaceAll(/\{(\w+)\}/g, (all, name: string) => subjects[name] ?? all)
async function made(path: string, body: Record<string, unknown>): Promise<string> {
  const reply = await ask(admin, 'POST', path, body)
  expect(reply.status, `${path}: ${JSON.stringify(reply.body)}`).toBe(201)
  return reply.body.uuid
}

beforeAll(async () => {
  stone = await openKeystone()
  admin = await stone.admin()
  await withSite({ ...stone.cloud, client: stone.client(admin) })
  const identity = async (method: string, path: string, body?: unknown) =>
    (await stone.identity(method, path, { token: admin, body })).body
  for (const place of ['owner', 'lessee', 'stranger', 'elsewhere'] as const)
    projects[place] = (await identity('POST', '/projects', { project: { name: place } })).project.id
  const known = (await identity('GET', '/roles')).roles as Array<{ id: string; name: string }>
  await Promise.all(
    people.map(async (who) => {
      const [place, role] = who.split(' ') as [Place, string]
      const name = who.replace(' ', '-')
      const { user } = await identity('POST', '/users', { user: { name, password: ADMIN_PASSWORD } })
      const on = place === 'system' ? 'system' : `projects/${projects[place]}`
      await identity('PUT', `/${on}/users/${user.id}/roles/${known.find((each) => each.name === role)!.id}`)
      const scope = place === 'system' ? SYSTEM : { project: { id: projects[place] } }
      tokens[who] = await stone.login(name, ADMIN_PASSWORD, scope)
    }),
  )
  const { owner, lessee, elsewhere } = projects
  subjects['owner'] = owner!
  subjects['node'] = await made('/v1/nodes', {
    name: 'n1',
    driver: 'fake-hardware',
    owner,
    lessee,
    conductor_group: 'berlin',
  })
  subjects['other'] = await made('/v1/nodes', { name: 'n2', driver: 'fake-hardware', owner: elsewhere })
  let address = 0
  for (const node_uuid of [subjects['node'], subjects['other']]) {
    address += 1
    const first = node_uuid === subjects['node']
    const port = await made('/v1/ports', { node_uuid, address: `52:54:00:00:00:0${address}` })
    const portgroup = await made('/v1/portgroups', { node_uuid })
    const connector = await made('/v1/volume/connectors', { node_uuid, type: 'iqn', connector_id: `iqn.${address}` })
    const target = await made('/v1/volume/targets', { node_uuid, volume_type: 'iscsi', boot_index: 0, volume_id: '1' })
    const of = first ? owner : elsewhere
    const allocation = await made('/v1/allocations', { resource_class: 'none', owner: of })
    const step = { interface: 'power', step: 'power_on', order: 1, args: {} }
    const runbook = await made('/v1/runbooks', { name: `CUSTOM_${address}`, steps: [step], owner: of })
    const webhook = await made('/v1/webhooks', { name: `w${address}`, url: 'https://hooks.example/', owner: of })
    if (first) Object.assign(subjects, { port, portgroup, connector, target, allocation, runbook, webhook })
  }
  const step = { interface: 'power', step: 'power_on', order: 1, args: {} }
  subjects['public'] = await made('/v1/runbooks', { name: 'CUSTOM_P', steps: [step], public: true })
  subjects['template'] = await made('/v1/deploy_templates', {
    name: 'CUSTOM_T',
    steps: [{ interface: 'bios', step: 'factory_reset', args: {}, priority: 10 }],
  })
  subjects['chassis'] = await made('/v1/chassis', {})
  await stone.cloud.settle()
}, 120_000)
afterAll(() => stone?.[Symbol.asyncDispose]())

const patch = (path: string, value: unknown) => [{ op: 'add', path, value }]
const mac = () =>
  `52:54:${randomUUID()
    .slice(0, 8)
    .replaceAll(/(..)(?=.)/g, '$1:')}`
const step = { interface: 'power', step: 'power_on', order: 1, args: {} }

describe.each<[string, string, unknown, string]>([
  //                                        system        owner              lessee       stranger
  ['GET', '/v1/nodes/{node}', undefined, '200 200 200   200 200 200 200   200 200 200   404'],
  ['PATCH', '/v1/nodes/{node}', patch('/extra/a', 1), '200 200 403   200 200 200 403   200 200 403   404'],
  ['PATCH', '/v1/nodes/{node}', patch('/driver_info/a', 1), '200 200 403   200 200 200 403   403 403 403   404'],
  ['PATCH', '/v1/nodes/{node}', patch('/instance_info/a', 1), '200 200 403   200 200 200 403   200 403 403   404'],
  ['PATCH', '/v1/nodes/{node}', patch('/power_interface', 'fake'), '200 200 403   200 200 403 403   403 403 403   404'],
  ['PATCH', '/v1/nodes/{node}', patch('/owner', '{owner}'), '200 200 403   403 403 403 403   403 403 403   404'],
  ['PATCH', '/v1/nodes/{node}', patch('/shard', 's'), '200 403 403   403 403 403 403   403 403 403   404'],
  ['GET', '/v1/nodes/{node}/states', undefined, '200 200 200   200 200 200 200   200 200 200   404'],
  ['PUT', '/v1/nodes/{node}/states/power', { target: 'x' }, '400 400 403   400 400 400 403   400 400 403   404'],
  ['PUT', '/v1/nodes/{node}/states/provision', { target: 'x' }, '400 400 403   400 400 400 403   400 403 403   404'],
  ['PUT', '/v1/nodes/{node}/maintenance', {}, '202 202 403   202 202 202 403   202 403 403   404'],
  ['GET', '/v1/nodes/{node}/validate', undefined, '200 200 403   200 200 200 403   200 403 403   404'],
  ['PUT', '/v1/nodes/{node}/traits', { traits: [] }, '204 204 403   204 204 403 403   403 403 403   404'],
  ['GET', '/v1/nodes/{node}/history', undefined, '200 200 200   200 200 200 200   403 403 403   404'],
  ['GET', '/v1/nodes/{node}/why', undefined, '200 200 200   200 200 200 200   403 403 403   404'],
  [
    'GET',
    '/v1/nodes/{node}/management/boot_device/supported',
    undefined,
    '200 200 403   200 200 403 403   403 403 403   404',
  ],
  ['GET', '/v1/ports/{port}', undefined, '200 200 200   200 200 200 200   200 200 200   404'],
  ['PATCH', '/v1/ports/{port}', patch('/extra/a', 1), '200 200 403   200 200 403 403   403 403 403   404'],
  ['POST', '/v1/ports', { node_uuid: '{node}', address: '{mac}' }, '201 403 403   201 201 403 403   403 403 403   400'],
  ['DELETE', '/v1/ports/{port}', undefined, '204 403 403   204 204 403 403   403 403 403   404'],
  ['GET', '/v1/portgroups/{portgroup}', undefined, '200 200 200   200 200 200 200   200 200 200   404'],
  ['PATCH', '/v1/portgroups/{portgroup}', patch('/extra/a', 1), '200 200 403   200 200 403 403   403 403 403   404'],
  ['POST', '/v1/portgroups', { node_uuid: '{node}' }, '201 403 403   201 201 403 403   403 403 403   400'],
  ['GET', '/v1/volume/connectors/{connector}', undefined, '200 200 200   200 200 200 200   200 200 200   404'],
  [
    'PATCH',
    '/v1/volume/connectors/{connector}',
    patch('/extra/a', 1),
    // To whom it is allowed it is refused because of the node's power.
    '400 400 403   400 400 400 403   400 403 403   404',
  ],
  ['GET', '/v1/volume/targets/{target}', undefined, '200 200 200   200 200 200 200   200 200 200   404'],
  ['GET', '/v1/allocations/{allocation}', undefined, '200 200 200   200 200 200 200   404 404 404   404'],
  ['PATCH', '/v1/allocations/{allocation}', patch('/extra/a', 1), '200 200 403   200 200 200 403   404 404 404   404'],
  ['POST', '/v1/allocations', { resource_class: 'x' }, '201 201 403   201 201 201 403   201 201 403   201'],
  ['GET', '/v1/runbooks/{runbook}', undefined, '200 200 200   200 200 200 200   404 404 404   404'],
  ['GET', '/v1/runbooks/{public}', undefined, '200 200 200   200 200 200 200   200 200 200   200'],
  ['PATCH', '/v1/runbooks/{runbook}', patch('/extra/a', 1), '200 200 403   200 200 403 403   404 404 404   404'],
  ['POST', '/v1/runbooks', { name: '{name}', steps: [step] }, '201 201 403   201 201 403 403   201 403 403   201'],
  ['GET', '/v1/deploy_templates/{template}', undefined, '200 200 200   403 403 403 403   403 403 403   403'],
  [
    'PATCH',
    '/v1/deploy_templates/{template}',
    patch('/extra/a', 1),
    '200 403 403   403 403 403 403   403 403 403   403',
  ],
  ['GET', '/v1/chassis/{chassis}', undefined, '200 200 200   403 403 403 403   403 403 403   403'],
  ['PATCH', '/v1/chassis/{chassis}', patch('/extra/a', 1), '200 200 403   403 403 403 403   403 403 403   403'],
  ['GET', '/v1/conductors/box-1', undefined, '200 200 200   403 403 403 403   403 403 403   403'],
  ['PATCH', '/v1/conductors/box-1', patch('/hostname', 'box-1'), '200 403 403   403 403 403 403   403 403 403   403'],
  ['GET', '/v1/webhooks/{webhook}', undefined, '200 200 200   200 200 200 200   404 404 404   404'],
  ['PATCH', '/v1/webhooks/{webhook}', patch('/enabled', true), '200 403 403   200 200 403 403   404 404 404   404'],
  ['GET', '/v1/webhooks/{webhook}/failures', undefined, '200 200 200   200 200 200 200   404 404 404   404'],
  ['GET', '/v1/shards', undefined, '200 200 200   403 403 403 403   403 403 403   403'],
])('%s %s %j', (method, path, body, wanted) => {
  it(`is answered with ${wanted}`, async () => {
    const statuses: string[] = []
    for (const who of people) {
      subjects['mac'] = mac()
      subjects['name'] = `CUSTOM_${randomUUID().slice(0, 8).toUpperCase()}`
      const kept = subjects['port']!
      if (method === 'DELETE')
        subjects['port'] = await made('/v1/ports', { node_uuid: subjects['node'], address: mac() })
      statuses.push(`${who} ${(await ask(tokens[who]!, method, path, body)).status}`)
      subjects['port'] = kept
    }
    const codes = wanted.split(/\s+/)
    expect(statuses).toEqual(people.map((who, at) => `${who} ${codes[at]}`))
  })
})

describe.each([
  ['nodes', ['n1', 'n2'], ['n1'], ['n1'], []],
  ['ports', ['port', '-'], ['port'], ['port'], []],
  ['portgroups', ['portgroup', '-'], ['portgroup'], ['portgroup'], []],
  ['volume/connectors', ['connector', '-'], ['connector'], ['connector'], []],
  ['volume/targets', ['target', '-'], ['target'], ['target'], []],
  ['webhooks', ['webhook', '-'], ['webhook'], [], []],
])('GET /v1/%s', (path, all, owners, lessees, strangers) => {
  it('lists what the caller sees, and nothing else', async () => {
    const wanted: Record<string, readonly string[]> = {
      system: all,
      owner: owners,
      lessee: lessees,
      stranger: strangers,
    }
    const key = path.split('/').at(-1)!
    const nameOf = ({ uuid, name }: { uuid: string; name?: string }) =>
      key === 'nodes' ? name : (Object.keys(subjects).find((each) => subjects[each] === uuid) ?? '-')
    for (const who of people) {
      const { status, body } = await ask(tokens[who]!, 'GET', `/v1/${path}`)
      expect(status, who).toBe(200)
      // What the table above has made is of the same node.
      const seen = new Set(body[key].map(nameOf))
      for (const each of wanted[who.split(' ')[0]!]!) expect(seen, who).toContain(each)
      if (wanted[who.split(' ')[0]!]!.length === 0) expect(body[key], who).toEqual([])
      if (!wanted[who.split(' ')[0]!]!.includes('-') && key !== 'nodes' && key !== 'webhooks')
        for (const { node_uuid } of await detailed(who, path, key)) expect(node_uuid, who).toBe(subjects['node'])
    }
  })
})

async function detailed(who: string, path: string, key: string): Promise<Array<{ node_uuid: string }>> {
  return (await ask(tokens[who]!, 'GET', `/v1/${path}?detail=true`)).body[key]
}

it('allocations and runbooks are listed to their owners, public runbooks to all', async () => {
  const owners = async (who: string, path: string, key: string) =>
    new Set((await ask(tokens[who]!, 'GET', path)).body[key].map((each: { owner: string | null }) => each.owner))
  for (const who of people) {
    const place = who.split(' ')[0] as Place
    const own = place === 'system' ? null : projects[place]
    const allocations = await owners(who, '/v1/allocations', 'allocations')
    const runbooks = await owners(who, '/v1/runbooks?detail=true', 'runbooks')
    expect(runbooks, who).toContain(null)
    if (own === null) expect(allocations, who).toContain(projects.elsewhere)
    else {
      expect(
        [...allocations].filter((each) => each !== own),
        who,
      ).toEqual([])
      expect(
        [...runbooks].filter((each) => each !== own && each !== null),
        who,
      ).toEqual([])
    }
  }
})

it('events are told to those who may read the history of their node', async () => {
  stone.cloud.pass(3)
  for (const who of people) {
    const { body } = await ask(tokens[who]!, 'GET', '/v1/events?after=2026-11-23T00:00:00.000Z&limit=500')
    const told = body.events.some(({ node }: { node: string }) => node === subjects['node'])
    expect(told, who).toBe(/^(system|owner)/.test(who))
  }
})
