import { hashSync } from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../contract/api/client.ts'
import { faultText } from '../../contract/api/faults.ts'
import { type ControlPlane, openControlPlane, PUBLIC } from './control-plane.ts'

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
    expect(faultText(await reply.text())).toMatch(/1\.999.*\[1\.1, 1\.115\]/)
  })

  it('hide what is newer, in views, bodies, filters, verbs and resources', async () => {
    const { uuid } = await newNode({ name: 'n' })
    expect(await get(`/v1/nodes/${uuid}`, 4)).not.toHaveProperty('name')
    expect(await get(`/v1/nodes/${uuid}`, 5)).toHaveProperty('name')
    expect(await get(`/v1/nodes/${uuid}`)).not.toHaveProperty('generation')
    expect(await statusOf('/v1/nodes', json('POST', { driver: 'ipmi', owner: 'x' }, 49))).toBe(406)
    expect(await statusOf('/v1/nodes?owner=x', at(49))).toBe(406)
    expect(await statusOf('/v1/nodes?fields=owner', at(49))).toBe(406)
    expect(await statusOf('/v1/nodes?detail=true', at(42))).toBe(400)
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
    await expect(newNode({ driver: 'ilo' })).rejects.toThrow(/driver ilo: it is unknown/)
    await expect(newNode({ deploy_interface: 'ansible' })).rejects.toThrow(/ansible/)
    await expect(newNode({ name: 'a b' })).rejects.toMatchObject({ status: 400 })
    await expect(newNode({ name: '11111111-2222-4333-8444-555555555555' })).rejects.toMatchObject({ status: 400 })
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
