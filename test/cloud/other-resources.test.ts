import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { biosKey, firmwareKey } from '../../lambdas/store/components.ts'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { type ControlPlane, openControlPlane, PUBLIC, withSite } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
})
afterEach(() => cloud[Symbol.asyncDispose]())

type Json = Record<string, unknown>
async function ask(method: string, path: string, body?: unknown, minor = 115): Promise<{ status: number; body: Json }> {
  const headers = { 'x-openstack-ironic-api-version': `1.${minor}` }
  const reply = await cloud.request(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
  const text = await reply.text()
  return { status: reply.status, body: (text === '' ? {} : JSON.parse(text)) as Json }
}
const statusOf = async (...of: Parameters<typeof ask>) => (await ask(...of)).status
const listOf = async (path: string) => Object.values((await ask('GET', path)).body)[0] as Json[]
const newNode = (name: string, more: Json = {}) => cloud.client.nodes.create({ name, driver: 'ipmi', ...more })

describe('a chassis', () => {
  it('is made, changed, and kept as long as nodes are in it', async () => {
    const { status, body } = await ask('POST', '/v1/chassis', { description: 'left', extra: { rack: 1 } })
    expect(status).toBe(201)
    const path = `/v1/chassis/${body['uuid'] as string}`
    expect(body['nodes']).toEqual([
      { rel: 'self', href: `${PUBLIC}${path}/nodes` },
      { rel: 'bookmark', href: `${PUBLIC}${path.slice(3)}/nodes` },
    ])
    const patch = [
      { op: 'remove', path: '/description' },
      { op: 'add', path: '/extra/row', value: 'b' },
    ]
    expect((await ask('PATCH', path, patch)).body).toMatchObject({ description: null, extra: { rack: 1, row: 'b' } })
    await newNode('a', { chassis_uuid: body['uuid'] })
    await newNode('b')
    expect((await listOf(`${path}/nodes`)).map((node) => node['name'])).toEqual(['a'])
    expect(await statusOf('DELETE', path)).toBe(400)
    await cloud.client.nodes.patch('a', [{ op: 'remove', path: '/chassis_uuid' }])
    expect(await statusOf('DELETE', path)).toBe(204)
    expect(await statusOf('GET', path)).toBe(404)
    await expect(newNode('c', { chassis_uuid: body['uuid'] })).rejects.toMatchObject({ status: 400 })
  })
})

describe('portgroups and ports', () => {
  it('belong together: members of one node, in one physical network', async () => {
    const { uuid } = await newNode('n')
    const other = await newNode('o')
    const group = (await ask('POST', '/v1/portgroups', { node_uuid: uuid, name: 'bond', address: '52:54:00:00:00:99' }))
      .body
    expect(group).toMatchObject({ mode: 'active-backup', standalone_ports_supported: true, physical_network: null })
    const port = (address: string, more: Json = {}) =>
      ask('POST', '/v1/ports', { node_uuid: uuid, address, portgroup_uuid: group['uuid'], ...more })
    expect((await port('52:54:00:00:00:01', { physical_network: 'p' })).status).toBe(201)
    expect((await port('52:54:00:00:00:02', { physical_network: 'q' })).status).toBe(409)
    expect((await port('52:54:00:00:00:03', { node_uuid: other.uuid, physical_network: 'p' })).status).toBe(400)
    expect((await listOf('/v1/portgroups/bond/ports')).map((each) => each['address'])).toEqual(['52:54:00:00:00:01'])
    expect((await listOf('/v1/ports?portgroup=bond')).length).toBe(1)
    expect((await listOf('/v1/nodes/n/portgroups')).map((each) => each['name'])).toEqual(['bond'])
    expect((await listOf('/v1/portgroups?address=52:54:00:00:00:99')).length).toBe(1)
    expect((await listOf('/v1/portgroups?node=o')).length).toBe(0)
    expect(await statusOf('POST', '/v1/portgroups', { node_uuid: other.uuid, name: 'bond' })).toBe(409)
    expect(await statusOf('DELETE', '/v1/portgroups/bond')).toBe(400)
    await cloud.client.nodes.delete(uuid)
    expect(await statusOf('GET', '/v1/portgroups/bond')).toBe(404)
    expect(await listOf('/v1/ports')).toEqual([])
  })

  it('keep how they are connected unless the node is being set up', async () => {
    const { uuid } = await newNode('n')
    const made = await ask('POST', '/v1/ports', { node_uuid: uuid, address: '52:54:00:00:00:01', name: 'eth0' })
    const change = (path: string, value: unknown) => ask('PATCH', '/v1/ports/eth0', [{ op: 'replace', path, value }])
    const link = { switch_id: '00:11:22:33:44:55', port_id: 'Eth1' }
    expect((await change('/local_link_connection', link)).status).toBe(200)
    expect((await change('/local_link_connection', { switch_id: 'x', port_id: 'y' })).status).toBe(400)
    await changeNode(cloud.platform, uuid, (node) => ({ node: { ...node, provision_state: 'active' } }))
    expect((await change('/pxe_enabled', false)).status).toBe(409)
    expect((await change('/address', '52:54:00:00:00:02')).status).toBe(409)
    expect((await change('/extra', { a: 1 })).status).toBe(200)
    await cloud.client.nodes.maintenance(uuid, undefined)
    expect((await change('/pxe_enabled', false)).body['pxe_enabled']).toBe(false)
    expect((await change('/address', '52:54:00:00:00:02')).body['uuid']).toBe(made.body['uuid'])
    expect((await listOf('/v1/ports?address=52:54:00:00:00:02')).length).toBe(1)
    expect((await listOf('/v1/ports?address=52:54:00:00:00:01')).length).toBe(0)
    expect(await statusOf('POST', '/v1/ports', { node_uuid: uuid, address: '52:54:00:00:00:03', name: 'eth0' })).toBe(
      409,
    )
  })

  it('are found by the shard and site of their node', async () => {
    const { uuid } = await newNode('n', { shard: 's' })
    await ask('POST', '/v1/ports', { node_uuid: uuid, address: '52:54:00:00:00:01' })
    expect((await listOf('/v1/ports?shard=s,t')).length).toBe(1)
    expect((await listOf('/v1/ports?shard=t')).length).toBe(0)
    expect((await listOf('/v1/ports?conductor_groups=none')).length).toBe(0)
    expect((await ask('GET', '/v1/shards')).body).toEqual({ shards: [{ name: 's', count: 1 }] })
  })
})

describe('deploy templates, runbooks and inspection rules', () => {
  const step = { interface: 'deploy', step: 'erase', args: { password: 'x' }, priority: 10 }

  it('templates have trait names, steps each once, and no secrets in replies', async () => {
    const make = (name: string, steps: unknown) => ask('POST', '/v1/deploy_templates', { name, steps })
    const made = await make('CUSTOM_A', [step])
    expect(made).toMatchObject({ status: 201, body: { steps: [{ args: { password: '******' } }] } })
    expect((await make('CUSTOM_A', [step])).status).toBe(409)
    expect((await make('lower', [step])).status).toBe(400)
    expect((await make('CUSTOM_B', [])).status).toBe(400)
    expect((await make('CUSTOM_B', [step, step])).status).toBe(400)
    expect((await make('CUSTOM_B', [{ ...step, interface: 'boot' }])).status).toBe(400)
    expect((await make('CUSTOM_B', [{ ...step, priority: -1 }])).status).toBe(400)
    const rename = [{ op: 'replace', path: '/name', value: 'CUSTOM_C' }]
    expect((await ask('PATCH', '/v1/deploy_templates/CUSTOM_A', rename)).body['name']).toBe('CUSTOM_C')
    expect(await statusOf('GET', '/v1/deploy_templates/CUSTOM_A')).toBe(404)
    expect(await listOf('/v1/deploy_templates')).toMatchObject([{ name: 'CUSTOM_C' }])
    expect(await statusOf('DELETE', '/v1/deploy_templates/CUSTOM_C')).toBe(204)
  })

  it('runbooks have free names and traits since 1.112', async () => {
    const steps = [{ interface: 'deploy', step: 'erase', args: {}, order: 1 }]
    expect(await statusOf('POST', '/v1/runbooks', { name: 'free-name', steps }, 111)).toBe(400)
    expect(await statusOf('POST', '/v1/runbooks', { name: 'CUSTOM_R', steps, description: 'd' }, 111)).toBe(406)
    const made = await ask('POST', '/v1/runbooks', { name: 'free-name', steps, public: true, owner: 'o' })
    expect(made).toMatchObject({ status: 201, body: { public: true, owner: null, traits: [] } })
    const traits = '/v1/runbooks/free-name/traits'
    expect(await statusOf('PUT', traits, { traits: ['CUSTOM_B', 'CUSTOM_A', 'CUSTOM_A'] })).toBe(204)
    expect(await statusOf('PUT', `${traits}/CUSTOM_C`)).toBe(204)
    expect(await statusOf('DELETE', `${traits}/CUSTOM_B`)).toBe(204)
    expect((await ask('GET', traits)).body).toEqual({ traits: ['CUSTOM_A', 'CUSTOM_C'] })
    expect(await statusOf('DELETE', traits)).toBe(204)
    expect((await ask('GET', '/v1/runbooks/free-name', undefined, 111)).body).not.toHaveProperty('traits')
  })

  it('rules know their operators and arguments; sensitive ones stay so', async () => {
    const actions = [{ op: 'set-attribute', args: { path: '/driver', value: 'ipmi' } }]
    const conditions = [{ op: '!eq', args: { values: [1, 2] } }]
    const make = (more: Json) => ask('POST', '/v1/inspection_rules', { actions, conditions, ...more })
    const { status, body } = await make({ sensitive: true, priority: 5 })
    expect([status, body['actions'], body['conditions']]).toEqual([201, null, null])
    expect((body['links'] as Json[])[0]?.['href']).toBe(`${PUBLIC}/v1/inspection/${body['uuid'] as string}`)
    const path = `/v1/inspection_rules/${body['uuid'] as string}`
    expect(await statusOf('PATCH', path, [{ op: 'replace', path: '/sensitive', value: false }])).toBe(400)
    expect((await ask('PATCH', path, [{ op: 'replace', path: '/priority', value: 7 }])).body['priority']).toBe(7)
    expect((await make({ priority: 10_000 })).status).toBe(400)
    expect((await make({ actions: [{ op: 'explode', args: {} }] })).status).toBe(400)
    expect((await make({ actions: [{ op: 'fail', args: {} }] })).status).toBe(400)
    expect((await make({ conditions: [{ op: 'eq', args: { values: [], other: 1 } }] })).status).toBe(400)
    expect((await make({ actions: [] })).status).toBe(400)
    expect(await statusOf('DELETE', path)).toBe(204)
  })
})

describe('volumes', () => {
  it('are unique, and changed only while the machine is off', async () => {
    const { uuid } = await newNode('n')
    const connector = { node_uuid: uuid, type: 'iqn', connector_id: 'iqn.2026-11.test:a' }
    const made = (await ask('POST', '/v1/volume/connectors', connector)).body
    expect(await statusOf('POST', '/v1/volume/connectors', connector)).toBe(409)
    const target = {
      node_uuid: uuid,
      volume_type: 'iscsi',
      volume_id: 'v',
      boot_index: '0',
      properties: { auth_password: 'x' },
    }
    // To nobody could the secret be sealed.
    expect(await statusOf('POST', '/v1/volume/targets', target)).toBe(400)
    await withSite(cloud)
    await changeNode(cloud.platform, uuid, (node) => ({ node: { ...node, conductor_group: 'berlin' } }))
    const made2 = await ask('POST', '/v1/volume/targets', target)
    expect(made2).toMatchObject({ status: 201, body: { boot_index: 0, properties: { auth_password: '******' } } })
    expect(await statusOf('POST', '/v1/volume/targets', { ...target, volume_id: 'w' })).toBe(409)
    const path = `/v1/volume/connectors/${made['uuid'] as string}`
    const patch = [{ op: 'replace', path: '/connector_id', value: 'iqn.2026-11.test:b' }]
    expect(await statusOf('PATCH', path, patch)).toBe(400)
    await changeNode(cloud.platform, uuid, (node) => ({ node: { ...node, power_state: 'power off' } }))
    expect((await ask('PATCH', path, patch)).body['connector_id']).toBe('iqn.2026-11.test:b')
    expect((await listOf('/v1/nodes/n/volume/targets')).length).toBe(1)
    expect((await listOf('/v1/volume/connectors?node=n')).length).toBe(1)
    expect(await statusOf('DELETE', path)).toBe(204)
    await cloud.client.nodes.delete(uuid)
    expect(await listOf('/v1/volume/targets')).toEqual([])
  })
})

describe('what is below a node', () => {
  it('shows what its site reported of its firmware', async () => {
    const { uuid } = await newNode('n')
    const at = cloud.platform.clock.now().toISOString()
    const bios = {
      name: 'boot',
      value: 'uefi',
      allowable_values: ['uefi'],
      read_only: false,
      created_at: at,
      updated_at: null,
    }
    const firmware = { component: 'bmc', initial_version: '1', current_version: '2', vendor: 'v', created_at: at }
    expect((await ask('GET', '/v1/nodes/n/bios')).body).toEqual({ bios: [] })
    await cloud.platform.table.write([{ put: { ...biosKey(uuid), version: 1, value: [bios] } }])
    await cloud.platform.table.write([{ put: { ...firmwareKey(uuid), version: 1, value: [firmware] } }])
    expect((await listOf('/v1/nodes/n/bios'))[0]).not.toHaveProperty('allowable_values')
    expect((await listOf('/v1/nodes/n/bios?detail=true'))[0]).toMatchObject({ allowable_values: ['uefi'] })
    expect((await ask('GET', '/v1/nodes/n/bios/boot')).body).toMatchObject({ boot: { value: 'uefi' } })
    expect(await statusOf('GET', '/v1/nodes/n/bios/none')).toBe(404)
    expect((await listOf('/v1/nodes/n/firmware'))[0]).toMatchObject({ component: 'bmc', vendor: 'v' })
    expect((await ask('GET', '/v1/nodes/n/firmware', undefined, 113)).body).not.toHaveProperty('firmware.0.vendor')
    expect(await statusOf('GET', '/v1/nodes/n/inventory')).toBe(404)
  })

  it('names its children, and no node that is not', async () => {
    const { uuid } = await newNode('blade')
    const child = await newNode('dpu', { parent_node: uuid })
    expect((await ask('GET', '/v1/nodes/blade/children')).body['children']).toEqual([child.uuid])
    await expect(newNode('x', { parent_node: child.uuid.replace(/^.{8}/, '00000000') })).rejects.toMatchObject({
      status: 400,
    })
    await expect(
      cloud.client.nodes.patch(uuid, [{ op: 'add', path: '/parent_node', value: uuid }]),
    ).rejects.toMatchObject({ status: 400 })
    await cloud.client.nodes.delete(child.uuid)
    expect((await ask('GET', '/v1/nodes/blade/children')).body['children']).toEqual([])
  })

  it.each([
    ['PUT', 'management/inject_nmi', {}],
    ['GET', 'management/indicators', undefined],
    ['PUT', 'states/boot_mode', { target: 'uefi' }],
    ['PUT', 'states/secure_boot', { target: true }],
    ['PUT', 'states/raid', { logical_disks: [{ size_gb: 'MAX', raid_level: '1' }] }],
    ['GET', 'states/console', undefined],
    ['GET', 'vmedia', undefined],
    ['POST', 'vmedia', { device_type: 'cdrom', image_url: 'http://h/i.iso' }],
    ['GET', 'vendor_passthru/none', undefined],
  ])('%s %s says that the driver lacks it', async (method, path, body) => {
    await newNode('n', { management_interface: 'noop' })
    const { status, body: reply } = await ask(method, `/v1/nodes/n/${path}`, body)
    expect([status, String(reply['error_message'])]).toEqual([
      400,
      expect.stringMatching(/does not support|No handler/),
    ])
  })

  it('of fake hardware has the lights that Ironic gives it', async () => {
    await newNode('f', { driver: 'fake-hardware' })
    const found = await listOf('/v1/nodes/f/management/indicators')
    expect(found.map(({ name, readonly }) => [name, readonly])).toEqual([
      ['led-0@chassis', true],
      ['led@system', false],
    ])
    expect((await ask('GET', '/v1/nodes/f/management/indicators/led@system')).body).toEqual({ state: 'on' })
    for (const name of ['led', 'led@none', 'none@system'])
      expect(await statusOf('GET', `/v1/nodes/f/management/indicators/${name}`), name).toBe(400)
  })

  it('takes virtual interfaces and forgets them, as the noop network does', async () => {
    await newNode('n')
    expect(await statusOf('POST', '/v1/nodes/n/vifs', { id: 'v' })).toBe(204)
    expect((await ask('GET', '/v1/nodes/n/vifs')).body).toEqual({ vifs: [] })
    expect(await statusOf('DELETE', '/v1/nodes/n/vifs/v')).toBe(204)
    expect(await statusOf('POST', '/v1/nodes/n/vifs', { id: 'v', port_uuid: 'x' })).toBe(400)
    expect(await statusOf('POST', '/v1/nodes/n/vifs', {})).toBe(400)
  })

  it('leaves agents to their sites', async () => {
    expect(await statusOf('GET', '/v1/lookup?addresses=x')).toBe(403)
    expect(await statusOf('POST', '/v1/heartbeat/x', {})).toBe(403)
    expect(await statusOf('POST', '/v1/continue_inspection', {})).toBe(403)
  })
})

describe('lists', () => {
  it('are sorted by any plain field, page by page, each once', async () => {
    for (const [name, owner] of [
      ['c', 'x'],
      ['a', 'y'],
      ['b', 'x'],
      ['d', undefined],
    ] as const) {
      await newNode(name, owner === undefined ? {} : { owner })
      cloud.pass(1)
    }
    const names = async (query: Record<string, string | number>) =>
      (await cloud.client.nodes.list({ limit: 2, ...query })).map(({ name }) => name)
    expect(await names({ sort_key: 'name' })).toEqual(['a', 'b', 'c', 'd'])
    expect(await names({ sort_key: 'name', sort_dir: 'desc' })).toEqual(['d', 'c', 'b', 'a'])
    expect(await names({ sort_key: 'owner' })).toEqual(['d', 'c', 'b', 'a'])
    expect(await statusOf('GET', '/v1/nodes?sort_key=traits')).toBe(400)
    expect(await statusOf('GET', '/v1/chassis?sort_key=extra')).toBe(400)
    expect(await statusOf('GET', '/v1/chassis?sort_key=description&sort_dir=desc')).toBe(200)
  })

  it('events are taken, and checked', async () => {
    const event = {
      event: 'network.bind_port',
      port_id: '11111111-2222-4333-8444-555555555555',
      mac_address: '52-54-00-00-00-01',
      status: 'ACTIVE',
    }
    expect(await statusOf('POST', '/v1/events', { events: [event] })).toBe(204)
    expect(await statusOf('POST', '/v1/events', { events: [{ ...event, event: 'x' }] })).toBe(400)
    expect(await statusOf('POST', '/v1/events', { events: [] })).toBe(400)
  })
})
