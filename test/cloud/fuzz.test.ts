import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Platform } from '../../lambdas/platform.ts'
import { createBaremetal } from '../../lambdas/api/app.ts'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

/** Requests at random, mostly wrong in one way and sometimes right, to every route: each is answered, none with a 5xx. FUZZ_REQUESTS says
 * how many; FUZZ_SEED repeats a run. */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 5000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)

const app = createBaremetal({} as Platform, { publicEndpoint: null, auth: { strategy: 'noauth' } })
const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => ({ method, path }))

const NODE = '11111111-2222-4333-8444-555555555555'
let cloud: ControlPlane
let idents: string[]
beforeAll(async () => {
  cloud = await openControlPlane()
  await withSite(cloud)
  const node = await cloud.client.nodes.create({ uuid: NODE, name: 'n', driver: 'ipmi', conductor_group: 'berlin' })
  const fake = await cloud.client.nodes.create({ name: 'f', driver: 'fake-hardware', resource_class: 'big' })
  const port = await cloud.client.ports.create({ node_uuid: node.uuid, address: '52:54:00:00:00:01' })
  idents = ['n', 'f', 'ipmi', 'fake-hardware', 'berlin', 'box-1', node.uuid, fake.uuid, port.uuid, 'CUSTOM_A']
})
afterAll(() => cloud[Symbol.asyncDispose]())

const words = `
  name uuid node_uuid address extra driver driver_info properties steps traits resource_class owner target timeout reason
  enabled type connector_id volume_type volume_id boot_index actions conditions priority events candidate_nodes node id
  instance_uuid instance_info maintenance conductor_group chassis_uuid parent_node interface step args order op path value
  logical_disks boot_device configdrive clean_steps __proto__ constructor toString limit marker sort_key sort_dir fields
  detail shard`
const word = fc.constantFrom(...words.trim().split(/\s+/))
const text = fc.oneof(
  fc.constantFrom(
    '',
    "'; DROP TABLE nodes; --",
    '${7*7}',
    '../../etc/passwd',
    '\u0000',
    '\uD800',
    '🜚',
    'a'.repeat(5000),
  ),
  fc.constantFrom(
    'CUSTOM_A',
    '52:54:00:00:00:02',
    'n',
    'active',
    'manage',
    'power on',
    '11111111-2222-4333-8444-555555555555',
  ),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text,
    fc.constantFrom(null, true, false, 0, -1, 1, 1e308, 0.5),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(word, tie('value'), { maxKeys: 6 }),
  ),
}))
/** Right ones, of which one part or none is replaced by anything. */
const almost: Readonly<Record<string, Record<string, unknown>>> = {
  'POST /v1/nodes': { driver: 'ipmi', driver_info: { ipmi_address: '192.0.2.1' }, extra: {}, network_data: {} },
  'POST /v1/ports': { node_ident: 'n', address: '52:54:00:00:00:07', local_link_connection: {}, name: 'p' },
  'POST /v1/portgroups': { node_uuid: NODE, name: 'g', address: '52:54:00:00:00:08', properties: {} },
  'POST /v1/chassis': { description: 'd', extra: {} },
  'POST /v1/allocations': { resource_class: 'big', name: 'a', traits: ['CUSTOM_A'], candidate_nodes: ['n'], extra: {} },
  'POST /v1/deploy_templates': {
    name: 'CUSTOM_A',
    steps: [{ interface: 'deploy', step: 's', args: {}, priority: 1 }],
  },
  'POST /v1/runbooks': { name: 'CUSTOM_A', steps: [{ interface: 'deploy', step: 's', args: {}, order: 1 }] },
  'POST /v1/inspection_rules': {
    actions: [{ op: 'fail', args: { msg: 'm' } }],
    conditions: [{ op: 'eq', args: { values: [1, 1] }, loop: [], multiple: 'any' }],
    priority: 1,
  },
  'POST /v1/volume/connectors': { node_uuid: NODE, type: 'iqn', connector_id: 'c', extra: {} },
  'POST /v1/volume/targets': { node_uuid: NODE, volume_type: 'iscsi', volume_id: 'v', boot_index: 0 },
  'PUT /v1/nodes/:ident/states/provision': { target: 'clean', clean_steps: [{ interface: 'deploy', step: 's' }] },
  'PUT /v1/nodes/:ident/states/power': { target: 'power on', timeout: 5 },
  'PUT /v1/nodes/:ident/states/raid': { logical_disks: [{ size_gb: 1, raid_level: '1', physical_disks: ['a'] }] },
  'PUT /v1/nodes/:ident/states/console': { enabled: true },
  'PUT /v1/nodes/:ident/traits': { traits: ['CUSTOM_A'] },
  'PUT /v1/runbooks/:runbook/traits': { traits: ['CUSTOM_A'] },
  'PUT /v1/nodes/:ident/management/boot_device': { boot_device: 'pxe', persistent: true },
  'PUT /v1/nodes/:ident/maintenance': { reason: 'r' },
  'POST /v1/nodes/:ident/vifs': { id: 'v' },
  'POST /v1/nodes/:ident/vmedia': { device_type: 'cdrom', image_url: 'http://h/i' },
}
function nearly(route: string, change: { at: number; to: unknown } | null): string | undefined {
  const right = almost[route]
  if (!right) return undefined
  const key = Object.keys(right)[(change?.at ?? 0) % Object.keys(right).length] as string
  return JSON.stringify(change ? { ...right, [key]: change.to } : right)
}

const patch = fc.array(
  fc.record({
    op: fc.constantFrom('add', 'replace', 'remove', 'move'),
    path: fc.oneof(
      word.map((name) => `/${name}`),
      fc.tuple(word, word).map(([a, b]) => `/${a}/${b}`),
      text,
    ),
    value: json,
  }),
  { maxLength: 4 },
)
const body = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  patch.map((value) => JSON.stringify(value)),
  fc.constantFrom('', '{', '[]', 'null', '[1', '"', '['.repeat(60), `{"name":"${'x'.repeat(70_000)}"}`, '{"a":1e999}'),
)
const request = fc.record({
  route: fc.constantFrom(...routes),
  ident: fc.oneof(fc.nat(9).map(String), text),
  query: fc.dictionary(word, text, { maxKeys: 2 }),
  version: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('1.115', '1.52', '1.1', 'latest') },
    { weight: 1, arbitrary: fc.constantFrom('1.999', '-1', 'x', '') },
  ),
  body,
  mutation: fc.option(fc.option(fc.record({ at: fc.nat(9), to: json })), { nil: undefined }),
})

function concrete(path: string, ident: string): string {
  const known = /^\d$/.test(ident) ? idents[Number(ident)] : undefined
  return path.replaceAll(/:\w+/g, () => encodeURIComponent((known ?? ident).toWellFormed()) || '-')
}

it(
  `${REQUESTS} requests at random are answered, none as our fault`,
  async () => {
    const samples = fc.sample(request, { numRuns: REQUESTS, seed: SEED })
    const seen = new Map<number, number>()
    for (const { route, ident, query, version, body: wild, mutation } of samples) {
      const sent = (mutation === undefined ? undefined : nearly(`${route.method} ${route.path}`, mutation)) ?? wild
      const parameters = new URLSearchParams(
        Object.entries(query).map(([key, value]) => [key, value.toWellFormed()] as [string, string]),
      )
      const path = `${concrete(route.path, ident)}?${parameters.toString()}`
      const reply = await cloud.request(path, {
        method: route.method,
        headers: { 'x-openstack-ironic-api-version': version },
        body: route.method === 'GET' ? null : sent,
      })
      const answer = await reply.text()
      seen.set(reply.status, (seen.get(reply.status) ?? 0) + 1)
      if (reply.status >= 500) {
        const failed = cloud.logged.findLast(({ message }) => message === 'request failed')
        expect.fail(`${route.method} ${path} ${version} ${sent.slice(0, 500)}: ${answer}\n${String(failed?.['stack'])}`)
      }
      if (reply.status >= 400) expect(answer).toMatch(/faultstring|description/)
    }
    await cloud.settle()
    expect([...seen.keys()].sort((a, b) => a - b)).toEqual(expect.arrayContaining([200, 201, 204, 400, 404, 406, 409]))
  },
  Math.max(60_000, REQUESTS * 10),
)
