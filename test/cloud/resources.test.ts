import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { drivers } from '../../contract/hardware.ts'
import { newSealingKey } from '../../contract/seal.ts'
import { type ControlPlane, openControlPlane, PUBLIC, withSite } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const at = (minor: number) => ({ headers: { 'x-openstack-ironic-api-version': `1.${minor}` } })
const get = async (path: string, minor = 115) =>
  (await cloud.request(path, at(minor))).json() as Promise<Record<string, unknown>>
const newNode = (more: Record<string, unknown> = {}) =>
  cloud.client.nodes.create({ driver: 'ipmi', driver_info: { ipmi_address: '192.0.2.1' }, ...more })
const statusOf = async (path: string, init?: RequestInit) => (await cloud.request(path, init)).status

describe('nodes', () => {
  it('are found by uuid and by name, which is unique', async () => {
    const { uuid } = await newNode({ name: 'n' })
    expect((await cloud.client.nodes.get('n')).uuid).toBe(uuid)
    await expect(newNode({ name: 'n' })).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/name n/),
    })
    await expect(newNode({ uuid })).rejects.toMatchObject({ status: 409 })
    await cloud.client.nodes.patch('n', [{ op: 'replace', path: '/name', value: 'm' }])
    await expect(cloud.client.nodes.get('n')).rejects.toMatchObject({ status: 404 })
    await newNode({ name: 'n' })
    await expect(cloud.client.nodes.patch('m', [{ op: 'replace', path: '/name', value: 'n' }])).rejects.toMatchObject({
      status: 409,
    })
  })

  it('are listed in order of creation, page by page, each once', async () => {
    const uuids: string[] = []
    for (let at = 0; at < 7; at += 1) {
      uuids.push((await newNode()).uuid)
      cloud.pass(1)
    }
    expect((await cloud.client.nodes.list({ limit: 3 })).map(({ uuid }) => uuid)).toEqual(uuids)
    const down = await cloud.client.nodes.list({ limit: 2, sort_dir: 'desc' })
    expect(down.map(({ uuid }) => uuid)).toEqual([...uuids].reverse())
    const page = await get('/v1/nodes?limit=3')
    expect(page['next']).toBe(`${PUBLIC}/v1/nodes?limit=3&marker=${uuids[2]}`)
    expect(Object.keys((page['nodes'] as object[])[0] ?? {}).sort()).toEqual(
      ['instance_uuid', 'links', 'maintenance', 'name', 'power_state', 'provision_state', 'uuid'].sort(),
    )
    expect(await get('/v1/nodes?limit=8')).not.toHaveProperty('next')
    expect(await statusOf('/v1/nodes?limit=0', at(115))).toBe(400)
    expect(await statusOf('/v1/nodes?sort_key=extra', at(115))).toBe(400)
    expect(await statusOf('/v1/nodes?colour=red', at(115))).toBe(400)
    expect(await statusOf(`/v1/nodes?marker=${'1'.repeat(8)}`, at(115))).toBe(400)
    expect(await statusOf('/v1/nodes?marker=00000000-0000-4000-8000-000000000000', at(115))).toBe(404)
  })

  it('are listed on behind one that has left the list since the page before', async () => {
    const [first, second, third] = [await newNode(), await newNode(), await newNode()]
    for (const { uuid } of [first, second, third]) await cloud.client.nodes.maintenance(uuid, 'broken')
    const listed = async (query: string) =>
      ((await get(`/v1/nodes?maintenance=true${query}`))['nodes'] as { uuid: string }[]).map(({ uuid }) => uuid)
    const all = await listed('')
    expect(all.toSorted()).toEqual([first, second, third].map(({ uuid }) => uuid).toSorted())
    await cloud.client.nodes.clearMaintenance(all[0]!)
    expect(await listed(`&marker=${all[0]}`)).toEqual(all.slice(1))
  })

  it('are filtered, also by several filters at once and over pages', async () => {
    const instance = '11111111-2222-4333-8444-555555555555'
    const a = await newNode({ owner: 'o', resource_class: 'big' })
    const b = await newNode({ owner: 'o', maintenance: true })
    const c = await newNode({ resource_class: 'big' })
    await cloud.client.nodes.patch(c.uuid, [{ op: 'add', path: '/instance_uuid', value: instance }])
    const found = async (query: Record<string, string | boolean>) =>
      (await cloud.client.nodes.list({ ...query, limit: 1 })).map(({ uuid }) => uuid).sort()
    const sorted = (...nodes: Array<{ uuid: string }>) => nodes.map(({ uuid }) => uuid).sort()
    expect(await found({ owner: 'o' })).toEqual(sorted(a, b))
    expect(await found({ owner: 'o', resource_class: 'big' })).toEqual(sorted(a))
    expect(await found({ maintenance: true })).toEqual(sorted(b))
    expect(await found({ maintenance: false })).toEqual(sorted(a, c))
    expect(await found({ associated: true })).toEqual(sorted(c))
    expect(await found({ associated: false, provision_state: 'enroll' })).toEqual(sorted(a, b))
    expect(await found({ provision_state: 'active' })).toEqual([])
    expect(await found({ instance_uuid: instance })).toEqual(sorted(c))
    expect(await found({ driver: 'ipmi', resource_class: 'big' })).toEqual(sorted(a, c))
    expect(await statusOf('/v1/nodes?provision_state=asleep', at(115))).toBe(400)
  })

  it('show chosen fields, and never fields with detail', async () => {
    const { uuid } = await newNode()
    expect(await get(`/v1/nodes/${uuid}?fields=uuid,driver`)).toEqual({
      uuid,
      driver: 'ipmi',
      links: expect.anything(),
    })
    expect(await get('/v1/nodes/detail')).toMatchObject({ nodes: [{ driver: 'ipmi' }] })
    expect(await statusOf('/v1/nodes?fields=uuid&detail=true', at(115))).toBe(400)
    expect(await statusOf('/v1/nodes?fields=colour', at(115))).toBe(400)
  })

  it('belong to one instance, which belongs to one node', async () => {
    const instance = '11111111-2222-4333-8444-555555555555'
    const set = (node: string, value: string) =>
      cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_uuid', value }])
    const { uuid } = await newNode()
    const other = await newNode()
    await set(uuid, instance)
    await expect(set(other.uuid, instance)).rejects.toMatchObject({ status: 409 })
    await expect(set(uuid, '21111111-2222-4333-8444-555555555555')).rejects.toMatchObject({ status: 409 })
    await expect(cloud.client.nodes.delete(uuid)).rejects.toMatchObject({ status: 409 })
    await cloud.client.nodes.patch(uuid, [{ op: 'remove', path: '/instance_uuid' }])
    await set(other.uuid, instance)
    await cloud.client.nodes.delete(uuid)
  })

  it('lose no update when many write at once', async () => {
    const { uuid } = await newNode()
    const keys = Array.from({ length: 12 }, (_, at) => `k${at}`)
    const add = (key: string) => cloud.client.nodes.patch(uuid, [{ op: 'add', path: `/extra/${key}`, value: 1 }])
    await Promise.all(keys.map(add))
    expect(Object.keys((await cloud.client.nodes.get(uuid)).extra).sort()).toEqual(keys.sort())
  })

  it('say what each of their interfaces lacks', async () => {
    const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi' })
    expect(await cloud.client.nodes.validate(uuid)).toMatchObject({
      power: { result: false, reason: expect.stringMatching(/ipmi_address/) },
      boot: { result: false, reason: expect.stringMatching(/port/) },
      network: { result: true },
      rescue: { result: null },
    })
  })
})

describe('secrets', () => {
  const secret = (ipmi_password: string) => ({ driver_info: { ipmi_address: 'b', ipmi_password } })

  it('are stored sealed and shown masked; a mask given back keeps them', async () => {
    await withSite(cloud)
    const { uuid, driver_info, conductor_group } = await newNode(secret('pa55word'))
    expect(driver_info['ipmi_password']).toBe('******')
    expect(conductor_group).toBe('berlin')
    const stored = async () =>
      JSON.stringify((await cloud.platform.table.get({ pk: `node#${uuid}`, sk: 'node' }))?.value)
    const before = await stored()
    expect(before).not.toContain('pa55word')
    const value = { ipmi_address: 'c', ipmi_password: '******' }
    await cloud.client.nodes.patch(uuid, [{ op: 'replace', path: '/driver_info', value }])
    const box = /"box":"[^"]+"/.exec(before)?.[0]
    expect(await stored()).toContain(box)
    await cloud.client.nodes.patch(uuid, [{ op: 'add', path: '/driver_info/ipmi_password', value: 'new' }])
    expect(await stored()).not.toContain(box)
    expect(JSON.stringify(cloud.logged)).not.toContain('pa55word')
  })

  it('need a site with an appliance to be sealed to', async () => {
    await expect(newNode(secret('x'))).rejects.toThrow(/conductor_group/)
    await cloud.client.sites.create('empty')
    await expect(newNode(secret('x'))).rejects.toThrow(/empty has none yet: enrol one first/)
    await expect(newNode({ conductor_group: 'nowhere' })).rejects.toThrow(/nowhere/)
  })

  it('have to be given again when the node moves to another site', async () => {
    await withSite(cloud)
    await withSite(cloud, 'paris', 'box-2')
    const { uuid } = await newNode({ ...secret('x'), conductor_group: 'berlin' })
    const move = { op: 'replace' as const, path: '/conductor_group', value: 'paris' }
    await expect(cloud.client.nodes.patch(uuid, [move])).rejects.toThrow(/ipmi_password.*again/)
    await cloud.client.nodes.patch(uuid, [move, { op: 'replace', path: '/driver_info/ipmi_password', value: 'y' }])
    expect((await cloud.client.nodes.get(uuid)).conductor_group).toBe('paris')
  })
})

describe('ports', () => {
  it('have a MAC of their own, in lower case', async () => {
    const node = await newNode()
    const port = await cloud.client.ports.create({ node_uuid: node.uuid, address: 'AA:BB:CC:00:00:01' })
    const dashed = { node_uuid: node.uuid, address: 'aa-bb-cc-00-00-09' }
    await expect(cloud.client.ports.create(dashed)).rejects.toThrow('Expected valid MAC address for address: aa-bb')
    expect(port.address).toBe('aa:bb:cc:00:00:01')
    const twin = { node_uuid: node.uuid, address: 'aa:bb:cc:00:00:01' }
    await expect(cloud.client.ports.create(twin)).rejects.toMatchObject({ status: 409 })
    await cloud.client.ports.patch(port.uuid, [{ op: 'replace', path: '/address', value: 'aa:bb:cc:00:00:02' }])
    await cloud.client.ports.create(twin)
    expect(await cloud.client.ports.list({ address: 'AA:BB:CC:00:00:02' })).toHaveLength(1)
    expect(await cloud.client.nodes.ports(node.uuid)).toHaveLength(2)
    await cloud.client.ports.delete(port.uuid)
    expect(await cloud.client.nodes.ports(node.uuid)).toHaveLength(1)
    expect(await statusOf('/v1/ports/aa:bb:cc:00:00:02', at(115))).toBe(400)
    expect(await statusOf(`/v1/ports/${port.uuid}`, at(115))).toBe(404)
  })

  it('are refused without a known node or with a malformed MAC', async () => {
    const { uuid: node_uuid } = await newNode()
    await expect(cloud.client.ports.create({ address: 'aa:bb:cc:00:00:01' })).rejects.toMatchObject({ status: 400 })
    await expect(cloud.client.ports.create({ node_uuid, address: 'aa:bb' })).rejects.toMatchObject({ status: 400 })
    const nowhere = { node_uuid: '11111111-2222-4333-8444-555555555555', address: 'aa:bb:cc:00:00:01' }
    await expect(cloud.client.ports.create(nowhere)).rejects.toMatchObject({ status: 400 })
  })
})

describe('sites', () => {
  it('take appliances by tokens that work once and for an hour', async () => {
    const { token } = await withSite(cloud)
    const enrol = (given: string, name: string) =>
      cloud.client.enrol({ token: given, name, csr: 'r', sealing_key: newSealingKey().publicKey })
    await expect(enrol(token, 'box-2')).rejects.toMatchObject({ status: 401 })
    const late = await cloud.client.sites.createToken('berlin')
    cloud.pass(3601)
    await expect(enrol(late.token, 'box-2')).rejects.toMatchObject({ status: 401 })
    await cloud.tick()
    const two = await cloud.client.sites.createToken('berlin')
    await expect(enrol(two.token, 'box-1')).rejects.toMatchObject({ status: 409 })
    const races = await Promise.allSettled([enrol(two.token, 'box-3'), enrol(two.token, 'box-4')])
    expect(races.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('show their appliances as conductors', async () => {
    await withSite(cloud)
    expect(await cloud.client.conductors.list()).toMatchObject([
      { hostname: 'box-1', conductor_group: 'berlin', alive: true, drivers },
    ])
    expect(await get('/v1/drivers')).toMatchObject({ drivers: drivers.map((name) => ({ name, hosts: ['box-1'] })) })
    cloud.pass(100)
    expect(await cloud.client.conductors.get('box-1')).toMatchObject({ alive: false })
    expect(await cloud.client.drivers.properties('ipmi')).toHaveProperty('ipmi_address')
    expect(await statusOf('/v1/conductors/none', at(115))).toBe(404)
  })
})

describe('images', () => {
  const bytes = Buffer.from('an image')
  const sha256 = createHash('sha256').update(bytes).digest('hex')

  it('are active once what was uploaded is what was announced', async () => {
    const announced = { name: 'i', size: bytes.length, sha256, disk_format: 'raw' as const }
    const { image } = await cloud.client.images.create(announced)
    await expect(cloud.client.images.complete('i')).rejects.toThrow(/not been uploaded/)
    cloud.blobs.set(`images/${image.uuid}`, Buffer.from('an imagE'))
    await expect(cloud.client.images.complete('i')).rejects.toThrow(/upload it again/)
    cloud.blobs.set(`images/${image.uuid}`, bytes)
    expect(await cloud.client.images.complete('i')).toMatchObject({ state: 'active' })
    await expect(cloud.client.images.create(announced)).rejects.toMatchObject({ status: 409 })
    await cloud.client.images.delete('i')
    expect(await cloud.client.images.list()).toEqual([])
    expect(cloud.blobs.size).toBe(0)
  })

  it('are not deleted while nodes name them, by name or uuid, unless by force', async () => {
    const { image } = await cloud.client.images.create({ name: 'i', size: 8, sha256, disk_format: 'raw' })
    const named = (name: string, image_source: string) =>
      cloud.client.nodes.create({ driver: 'fake-hardware', name, instance_info: { image_source } })
    await named('a', 'i')
    await named('b', image.uuid)
    await named('c', 'http://elsewhere.test/i')
    await expect(cloud.client.images.delete('i')).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/^Image i is what nodes (a, b|b, a) would be rebuilt from: .*force=true/),
    })
    await cloud.client.nodes.patch('a', [{ op: 'remove', path: '/instance_info/image_source' }])
    await expect(cloud.client.images.delete('i')).rejects.toThrow(/node b would/)
    await cloud.client.nodes.delete('b')
    await cloud.client.images.delete('i')
    const again = await cloud.client.images.create({ name: 'i', size: 8, sha256, disk_format: 'raw' })
    await named('d', 'i')
    await cloud.client.images.delete(again.image.uuid, { force: true })
    expect(await cloud.client.images.list()).toEqual([])
  })
})
