import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fieldSince } from '../../contract/api/matrix.ts'
import { biosKey, firmwareKey } from '../../lambdas/store/components.ts'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'
import { firstVersions, samples } from './first-versions.ts'

/** Every field of every resource at its first version and at the one before: in replies, in `fields=`, in new ones and in patches. */

const NEWEST = 115
const NODE = '00000000-0000-4000-8000-00000000000a'
const steps = [{ interface: 'bios', step: 'factory_reset', args: {} }]
const time = '2026-11-23T10:00:00.000Z'

interface Kind {
  /** Where new ones are posted, and the body of one; without: none can be posted. */
  collection?: string
  body?: (nth: number) => Record<string, unknown>
  /** Of the one that is looked at. */
  path?: string
  /** Where the reply doesn't consist of the one alone. */
  within?: (reply: any) => Record<string, unknown> // oxlint-disable-line typescript/no-explicit-any -- a reply
  /** It has no `fields=`. */
  whole?: boolean
}
const mac = (nth: number): string =>
  `52:54:00:00:${(nth >> 8).toString(16).padStart(2, '0')}:${(nth & 255).toString(16).padStart(2, '0')}`
const kinds: Record<string, Kind> = {
  node: { collection: '/v1/nodes', body: () => ({ driver: 'fake-hardware' }), path: `/v1/nodes/${NODE}` },
  'states of a node': { path: `/v1/nodes/${NODE}/states`, whole: true },
  port: { collection: '/v1/ports', body: (nth) => ({ address: mac(nth), node_uuid: NODE }) },
  portgroup: { collection: '/v1/portgroups', body: () => ({ node_uuid: NODE }) },
  chassis: { collection: '/v1/chassis', body: () => ({}) },
  allocation: { collection: '/v1/allocations', body: () => ({ resource_class: 'big' }) },
  'deploy template': {
    collection: '/v1/deploy_templates',
    body: (nth) => ({ name: `CUSTOM_T${nth}`, steps: [{ ...steps[0], priority: 1 }] }),
  },
  runbook: {
    collection: '/v1/runbooks',
    body: (nth) => ({ name: `CUSTOM_R${nth}`, steps: [{ ...steps[0], order: 1 }] }),
  },
  'inspection rule': {
    collection: '/v1/inspection_rules',
    body: () => ({ actions: [{ op: 'fail', args: { msg: 'no' } }], conditions: [] }),
  },
  'volume connector': {
    collection: '/v1/volume/connectors',
    body: (nth) => ({ node_uuid: NODE, type: 'iqn', connector_id: `iqn.${nth}` }),
  },
  'volume target': {
    collection: '/v1/volume/targets',
    body: (nth) => ({ node_uuid: NODE, volume_type: 'iscsi', volume_id: `${nth}`, boot_index: nth }),
  },
  conductor: { path: '/v1/conductors/box-1' },
  'entry of history': {
    path: `/v1/nodes/${NODE}/history?detail=true`,
    within: ({ history }) => history[0],
    whole: true,
  },
  'BIOS setting': { path: `/v1/nodes/${NODE}/bios/boot`, within: ({ boot }) => boot, whole: true },
  'firmware component': { path: `/v1/nodes/${NODE}/firmware`, within: ({ firmware }) => firmware[0], whole: true },
}

let cloud: ControlPlane
const paths: Record<string, string> = {}
beforeAll(async () => {
  cloud = await openControlPlane()
  const site = new PaperSite(cloud, (await withSite(cloud)).appliance)
  await cloud.client.nodes.create({ uuid: NODE, driver: 'fake-hardware', conductor_group: 'berlin' })
  await cloud.client.nodes.provision(NODE, 'manage')
  await cloud.settle()
  await site.carryOut(NODE)
  const { table } = cloud.platform
  const value = { created_at: time, updated_at: null }
  const setting = Object.fromEntries(Object.keys(firstVersions['BIOS setting']!).map((field) => [field, null]))
  const component = Object.fromEntries(Object.keys(firstVersions['firmware component']!).map((field) => [field, null]))
  const { links: _made, ...stored } = { ...setting, ...value, name: 'boot' } as Record<string, unknown>
  await table.write([{ put: { ...biosKey(NODE), version: 1, value: [stored] }, expect: 'absent' }])
  await table.write([
    {
      put: { ...firmwareKey(NODE), version: 1, value: [{ ...component, ...value, component: 'bmc' }] },
      expect: 'absent',
    },
  ])
  for (const [kind, { path, collection, body }] of Object.entries(kinds))
    paths[kind] = path ?? `${collection}/${(await ask('POST', collection!, NEWEST, body!(0))).json.uuid}`
})
afterAll(() => cloud[Symbol.asyncDispose]())

async function ask(method: string, path: string, minor: number, body?: unknown) {
  const headers = { 'x-openstack-ironic-api-version': `1.${minor}` }
  const reply = await cloud.request(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
  const text = await reply.text()
  // oxlint-disable-next-line typescript/no-explicit-any -- a reply
  return { status: reply.status, text, json: (text === '' ? {} : JSON.parse(text)) as any }
}

const rows = Object.entries(firstVersions).flatMap(([kind, fields]) => {
  const first = Math.min(...Object.values(fields))
  return Object.entries(fields).map(([field, since]) => ({ kind, field, since, first }))
})
const later = rows.filter(({ since, first }) => since > first)

it('knows all fields that the product has versions for', () => {
  const known = new Set(later.map(({ field }) => field))
  // These are for new ones only, and never shown.
  const posted = ['node', 'node_ident']
  const missing = Object.values(fieldSince).flatMap((fields) =>
    Object.keys(fields).filter((field) => !known.has(field)),
  )
  expect(missing.filter((field) => !posted.includes(field))).toEqual([])
})

describe.each(Object.keys(kinds))('what is shown of a %s', (kind) => {
  const fields = firstVersions[kind]!
  const [first = 1, ...more] = [...new Set(Object.values(fields))].sort((a, b) => a - b)
  it.each([...new Set([first, ...more.flatMap((minor) => [minor - 1, minor]), NEWEST])])('at 1.%i', async (minor) => {
    const { status, json } = await ask('GET', paths[kind]!, minor)
    expect(status).toBe(200)
    const seen = Object.keys(kinds[kind]!.within?.(json) ?? json)
    const wanted = Object.keys(fields).filter((field) => fields[field]! <= minor)
    expect(seen.toSorted()).toEqual(wanted.toSorted())
  })
})

describe('fields= by name', () => {
  const named = rows.filter(({ kind }) => !kinds[kind]!.whole)
  it.each(named)('$field of a $kind since 1.$since', async ({ kind, field, since }) => {
    const at = (minor: number) => ask('GET', `${paths[kind]}?fields=${field}`, minor)
    // Nodes, ports and chassis are older than the parameter.
    const reply = await at(Math.max(since, 8))
    expect([reply.status, Object.keys(reply.json).toSorted()]).toEqual([200, [...new Set([field, 'links'])].toSorted()])
    const { first } = rows.find((row) => row.kind === kind)!
    if (since > Math.max(first, 8)) expect((await at(since - 1)).status).toBe(406)
  })
})

describe('a later field in a new one, and in a patch', () => {
  const written = later.filter(({ kind, field }) => samples[kind]?.[field] !== undefined)
  let nth = 0
  it.each(written)('$field of a $kind since 1.$since', async ({ kind, field, since }) => {
    const { collection, body } = kinds[kind]!
    const value = samples[kind]![field]
    const create = (minor: number) => ask('POST', collection!, minor, { ...body!((nth += 1)), [field]: value })
    const other = field === 'name' ? `${String(value)}-2` : value
    const patch = (minor: number) => ask('PATCH', paths[kind]!, minor, [{ op: 'add', path: `/${field}`, value: other }])
    expect([(await create(since - 1)).status, (await patch(since - 1)).status]).toEqual([406, 406])
    const made = await create(since)
    expect([made.status, made.json[field]]).toEqual([201, value])
    const patched = await patch(since)
    expect([patched.status, patched.json[field]]).toEqual([200, other])
  })

  it('names those that it leaves out', () => {
    const rest = later.filter((row) => kinds[row.kind]!.collection && !written.includes(row)).map(({ field }) => field)
    expect([...new Set(rest)].toSorted()).toEqual(
      [
        // made by Ironic
        ...'allocation_uuid boot_mode clean_step conductor deploy_step driver_internal_info dynamic_portgroup fault health'.split(
          ' ',
        ),
        ...'inspection_finished_at inspection_started_at internal_info'.split(' '),
        // under rules of their own: below
        ...'is_smartnic owner parent_node portgroup_uuid'.split(' '),
        ...'portgroups ports protected protected_reason raid_config retired_reason secure_boot service_step states'.split(
          ' ',
        ),
        ...'target_raid_config traits volume'.split(' '),
      ].toSorted(),
    )
  })

  it.each([
    ['/v1/allocations', { resource_class: 'big', owner: 'o' }, 60, 201],
    ['/v1/ports', { address: mac(60_000), node_ident: NODE }, 94, 201],
    [
      '/v1/ports',
      {
        address: mac(60_001),
        node_uuid: NODE,
        is_smartnic: true,
        local_link_connection: { hostname: 'h', port_id: 'p' },
      },
      53,
      201,
    ],
    ['/v1/nodes', { driver: 'fake-hardware', parent_node: NODE }, 83, 201],
    ['/v1/nodes', { driver: 'fake-hardware', retired: true, retired_reason: 'old' }, 61, 201],
  ])('POST %s %j since 1.%i: %i', async (path, body, since, status) => {
    expect((await ask('POST', path, since - 1, body)).status).toBe(406)
    expect((await ask('POST', path, since, body)).status).toBe(status)
  })

  it.each([
    ['protected', true, 48, 409],
    ['parent_node', null, 83, 200],
  ])('PATCH of a node: %s %j since 1.%i: %i', async (field, value, since, status) => {
    const patch = [{ op: 'replace', path: `/${field}`, value }]
    expect((await ask('PATCH', paths['node']!, since - 1, patch)).status).toBe(406)
    expect((await ask('PATCH', paths['node']!, since, patch)).status).toBe(status)
  })
})
