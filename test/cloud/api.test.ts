import { createHash } from 'node:crypto'
import { hashSync } from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../contract/api/client.ts'
import { faultText } from '../../contract/api/faults.ts'
import { newSealingKey } from '../../contract/seal.ts'
import { type ControlPlane, openControlPlane, PUBLIC, withSite } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const at = (minor: number, more: Record<string, string> = {}) => ({
  headers: { 'x-openstack-ironic-api-version': `1.${minor}`, ...more },
})
const json = (method: string, body: unknown, minor = 115) => ({ method, body: JSON.stringify(body), ...at(minor) })
const get = async (path: string, minor = 115) =>
  (await cloud.request(path, at(minor))).json() as Promise<Record<string, unknown>>
const newNode = (more: Record<string, unknown> = {}) =>
  cloud.client.nodes.create({ driver: 'ipmi', driver_info: { ipmi_address: '192.0.2.1' }, ...more })
const statusOf = async (path: string, init?: RequestInit) => (await cloud.request(path, init)).status

describe('versions', () => {
  it('are told by the root without any header', async () => {
    const root = await (await cloud.request('/')).json()
    expect(root).toMatchObject({ default_version: { id: 'v1', min_version: '1.1', version: '1.115' } })
    expect(await get('/v1', 48)).not.toHaveProperty('conductors')
    expect(await get('/v1/', 49)).toMatchObject({ nodes: [{ href: `${PUBLIC}/v1/nodes/` }, {}], conductors: [{}, {}] })
  })

  it('are in the headers of every reply, errors too', async () => {
    for (const [path, status] of [
      ['/', 200],
      ['/v1/nodes/none', 404],
      ['/v1/nonsense', 404],
    ] as const) {
      const reply = await cloud.request(path, at(50))
      expect(reply.status).toBe(status)
      expect(reply.headers.get('x-openstack-ironic-api-minimum-version')).toBe('1.1')
      expect(reply.headers.get('x-openstack-ironic-api-maximum-version')).toBe('1.115')
      expect(reply.headers.get('x-openstack-ironic-api-version')).toBe('1.50')
      expect(reply.headers.get('openstack-request-id')).toMatch(/^req-/)
    }
  })

  it('that we lack make 406, with the headers to negotiate by', async () => {
    const reply = await cloud.request('/v1/nodes', at(999))
    expect(reply.status).toBe(406)
    expect(reply.headers.get('x-openstack-ironic-api-maximum-version')).toBe('1.115')
    expect(faultText(await reply.text())).toMatch(/1\.999.*1\.1 to 1\.115/)
  })

  it('hide what is newer, in views, bodies, filters, verbs and resources', async () => {
    const { uuid } = await newNode({ name: 'n' })
    expect(await get(`/v1/nodes/${uuid}`, 4)).not.toHaveProperty('name')
    expect(await get(`/v1/nodes/${uuid}`, 5)).toHaveProperty('name')
    expect(await get(`/v1/nodes/${uuid}`)).not.toHaveProperty('generation')
    expect(await statusOf('/v1/nodes', json('POST', { driver: 'ipmi', owner: 'x' }, 49))).toBe(406)
    expect(await statusOf('/v1/nodes?owner=x', at(49))).toBe(406)
    expect(await statusOf('/v1/nodes?fields=owner', at(49))).toBe(406)
    expect(await statusOf('/v1/nodes?detail=true', at(42))).toBe(406)
    expect(await statusOf(`/v1/nodes/${uuid}/states/provision`, json('PUT', { target: 'manage' }, 3))).toBe(406)
    expect(await statusOf('/v1/conductors', at(48))).toBe(404)
    expect(await statusOf(`/v1/nodes/${uuid}/history`, at(77))).toBe(404)
    expect(await statusOf(`/v1/nodes/${uuid}/traits`, at(36))).toBe(406)
  })

  it('before 1.11 begin nodes as available, before 1.2 shown as null', async () => {
    const reply = await cloud.request('/v1/nodes', json('POST', { driver: 'ipmi' }, 1))
    expect(await reply.json()).toMatchObject({ provision_state: null })
    expect((await newNode()).provision_state).toBe('enroll')
  })
})

describe('paths and bodies', () => {
  it('are the same with and without /v1 and a trailing slash', async () => {
    for (const path of ['/nodes', '/v1/nodes/', '/nodes/']) expect(await statusOf(path)).toBe(200)
  })

  it('make 405 for a method that the path lacks', async () => {
    const reply = await cloud.request('/v1/nodes', { method: 'PUT', ...at(115) })
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe('GET, POST')
  })

  it('are refused when nested too deep, too large or not JSON, in the flat form', async () => {
    const deep = await cloud.request('/v1/nodes', {
      method: 'POST',
      body: `${'['.repeat(26)}${']'.repeat(26)}`,
      ...at(115),
    })
    expect(deep.status).toBe(400)
    expect(await deep.json()).toMatchObject({ faultcode: 'Client', faultstring: expect.stringMatching(/25 levels/) })
    const large = await cloud.request('/v1/nodes', { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1), ...at(115) })
    expect(large.status).toBe(413)
    expect(await statusOf('/v1/nodes', { method: 'POST', body: '{', ...at(115) })).toBe(400)
  })

  it('are refused with a sentence when they hold what a node has not', async () => {
    await expect(newNode({ colour: 'red' })).rejects.toThrow(/colour/)
    await expect(newNode({ driver: 'ilo' })).rejects.toThrow(/'ilo' is unknown/)
    await expect(newNode({ deploy_interface: 'ansible' })).rejects.toThrow(/ansible/)
    await expect(newNode({ name: 'a b' })).rejects.toMatchObject({ status: 400 })
    await expect(newNode({ name: '11111111-2222-4333-8444-555555555555' })).rejects.toMatchObject({ status: 400 })
  })
})

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
    expect(await statusOf(`/v1/nodes?marker=${'1'.repeat(8)}`, at(115))).toBe(404)
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
    const port = await cloud.client.ports.create({ node_uuid: node.uuid, address: 'AA-BB-CC-00-00-01' })
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
      { hostname: 'box-1', conductor_group: 'berlin', alive: true, drivers: ['ipmi'] },
    ])
    expect(await get('/v1/drivers')).toMatchObject({ drivers: [{ name: 'ipmi', hosts: ['box-1'] }] })
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
})

describe('basic authentication', () => {
  it('lets in who has a password, everybody to the public routes, nobody else', async () => {
    const htpasswd = `# users\nada:${hashSync('pa55', 4)}\n`
    await using locked = await openControlPlane({ strategy: 'http_basic', htpasswd })
    const status = async (credentials?: string, path = '/v1/nodes') => {
      const headers = credentials
        ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
        : undefined
      return (await locked.request(path, { headers })).status
    }
    expect(await status('ada:pa55')).toBe(200)
    expect(await status('ada:pa55')).toBe(200)
    expect(await status('ada:wrong')).toBe(401)
    expect(await status('eve:pa55')).toBe(401)
    expect(await status()).toBe(401)
    expect(await status(undefined, '/')).toBe(200)
    expect(await status(undefined, '/v1')).toBe(200)
    const post = { method: 'POST', body: '{}' }
    expect((await locked.request('/v1/enrol', post)).status).toBe(400)
    expect((await locked.request('/v1/sites', post)).status).toBe(401)
  })
})

it('an unexpected error is logged, and tells the caller nothing but where', async () => {
  cloud.platform.table.query = () => Promise.reject(new Error('disk on fire'))
  const client = createClient({
    endpoint: PUBLIC,
    fetch: ((url: string, init: RequestInit) => cloud.request(url.slice(PUBLIC.length), init)) as typeof fetch,
  })
  await expect(client.nodes.list()).rejects.toMatchObject({ status: 500, message: expect.stringMatching(/req-/) })
  expect(cloud.logged.at(-1)).toMatchObject({ error: 'Error: disk on fire' })
})
