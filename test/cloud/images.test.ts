import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runImports } from '../../lambdas/image-service/import.ts'
import { createApi } from '../../lambdas/app.ts'
import { addressGuard } from '../../lambdas/webhooks/address-guard.ts'
import { PUBLIC, WEBHOOKS } from './control-plane.ts'
import { InstanceWorld } from './instance-world.ts'
import { AUTH, type Reply } from './keystone.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
})
afterEach(() => world[Symbol.asyncDispose]())

const images = '/image/v2/images'
const PATCH = 'application/openstack-images-v2.1-json-patch'
const hash = (name: string, bytes: Uint8Array): string => createHash(name).update(bytes).digest('hex')
const bare = { disk_format: 'raw', container_format: 'bare' }

async function make(more: object = {}, as = world.token): Promise<string> {
  const reply = await world.ask('POST', images, { name: 'mine', ...bare, ...more }, as)
  expect([reply.status, reply.body]).toEqual([201, expect.objectContaining({ status: 'queued' })])
  return reply.body.id
}
async function send(path: string, bytes: Uint8Array, as = world.token, type = 'application/octet-stream') {
  return world.cloud.request(path, {
    method: 'PUT',
    headers: { 'x-auth-token': as, 'content-type': type },
    body: Buffer.from(bytes),
  })
}
async function change(id: string, patch: unknown, as = world.token): Promise<Reply> {
  const reply = await world.cloud.request(`${images}/${id}`, {
    method: 'PATCH',
    headers: { 'x-auth-token': as, 'content-type': PATCH },
    body: JSON.stringify(patch),
  })
  return { status: reply.status, headers: reply.headers, body: await reply.json() }
}
const show = async (id: string, as = world.token) => (await world.ask('GET', `${images}/${id}`, undefined, as)).body
const listed = async (query = '', as = world.token): Promise<string[]> =>
  (await world.ask('GET', `${images}${query}`, undefined, as)).body.images.map((each: { name: string }) => each.name)

describe('an upload', () => {
  it('makes an image with its digests, which a server is made from and its owner reads again', async () => {
    const bytes = randomBytes(100_000)
    const id = await make({ os_distro: 'debian', tags: ['a', 'a'] })
    expect((await send(`${images}/${id}/file`, bytes)).status).toBe(204)
    expect(await show(id)).toMatchObject({
      status: 'active',
      size: 100_000,
      checksum: hash('md5', bytes),
      os_hash_algo: 'sha512',
      os_hash_value: hash('sha512', bytes),
      os_distro: 'debian',
      tags: ['a'],
      visibility: 'shared',
    })
    const read = await world.cloud.request(`${images}/${id}/file`, { headers: { 'x-auth-token': world.token } })
    expect([read.status, read.headers.get('location')]).toEqual([307, expect.stringContaining(`images/${id}`)])
    expect(world.cloud.blobs.get(`images/${id}`)).toEqual(bytes)
    await world.flavor()
    await world.network()
    const node = await world.node('n1')
    await world.asked({ imageRef: id })
    expect((await world.get(node)).instance_info).toMatchObject({ image_source: id })
    expect((await world.ask('DELETE', `${images}/${id}`)).body.message).toContain(`node ${node} would be rebuilt`)
  })

  it('is refused when it is too large, is not what it says, has no format, or is the second', async () => {
    const why = async (reply: Promise<Response>): Promise<unknown> => {
      const { status, body } = await reply.then(async (each) => ({ status: each.status, body: await each.json() }))
      return [status, (body as { message: string }).message]
    }
    const id = await make()
    const file = `${images}/${id}/file`
    expect(await why(send(file, new Uint8Array(5 * 1024 * 1024)))).toEqual([
      413,
      expect.stringContaining('bloomery image push'),
    ])
    expect(await why(send(file, Buffer.from('QFI\u00fb and more', 'latin1')))).toEqual([
      400,
      expect.stringContaining('begin as qcow2'),
    ])
    expect(await why(send(file, Buffer.from('x'), world.token, 'text/plain'))).toEqual([415, expect.anything()])
    expect(await why(send(file, Buffer.alloc(0)))).toEqual([400, expect.stringContaining('no data')])
    expect(await show(id)).toMatchObject({ status: 'queued', size: null })
    const vmdk = await make({ disk_format: 'vmdk' })
    expect(await why(send(`${images}/${vmdk}/file`, Buffer.from('KDMV')))).toEqual([
      400,
      expect.stringContaining('bloomery image push'),
    ])
    expect((await send(file, Buffer.from('a disk'))).status).toBe(204)
    expect(await why(send(file, Buffer.from('another')))).toEqual([409, expect.stringContaining('active')])
  })

  it('whose receiver died may be sent again after a while', async () => {
    const id = await make()
    const endless = new ReadableStream({ pull: () => new Promise(() => {}) })
    const headers = { 'x-auth-token': world.token, 'content-type': 'application/octet-stream' }
    const init = { method: 'PUT', headers, body: endless, duplex: 'half' } as RequestInit
    void world.cloud.request(`${images}/${id}/file`, init)
    await expect.poll(async () => (await show(id)).status).toBe('saving')
    expect((await send(`${images}/${id}/file`, Buffer.from('x'))).status).toBe(409)
    world.cloud.pass(600)
    expect((await show(id)).status).toBe('queued')
    expect((await send(`${images}/${id}/file`, Buffer.from('x'))).status).toBe(204)
    expect((await show(id)).status).toBe('active')
  })

  it('for an image that is deleted meanwhile leaves nothing', async () => {
    const id = await make()
    let end = (): void => {}
    const slow = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('a disk'))
        end = () => controller.close()
      },
    })
    const headers = { 'x-auth-token': world.token, 'content-type': 'application/octet-stream' }
    const init = { method: 'PUT', headers, body: slow, duplex: 'half' } as RequestInit
    const reply = world.cloud.request(`${images}/${id}/file`, init)
    await expect.poll(async () => (await show(id)).status).toBe('saving')
    expect((await world.ask('DELETE', `${images}/${id}`)).status).toBe(204)
    end()
    expect([(await reply).status, world.cloud.blobs.has(`images/${id}`)]).toEqual([404, false])
  })

  it('may be staged first and imported then', async () => {
    const id = await make()
    expect((await world.ask('POST', `${images}/${id}/import`, { method: { name: 'glance-direct' } })).status).toBe(409)
    expect((await send(`${images}/${id}/stage`, Buffer.from('a disk'))).status).toBe(204)
    expect(await show(id)).toMatchObject({ status: 'uploading', size: 6 })
    expect((await world.ask('POST', `${images}/${id}/import`, { method: { name: 'glance-direct' } })).status).toBe(202)
    expect(await show(id)).toMatchObject({ status: 'active', size: 6 })
  })
})

describe('a download from the web', () => {
  const importer = { wake: () => Promise.resolve() }
  const ask = async (id: string, uri: string): Promise<Response> => {
    const app = createApi(world.cloud.platform, { publicEndpoint: PUBLIC, auth: AUTH, webhooks: WEBHOOKS }, importer)
    const headers = { 'x-auth-token': world.token }
    const body = JSON.stringify({ method: { name: 'web-download', uri } })
    return app.request(`${PUBLIC}${images}/${id}/import`, { method: 'POST', headers, body })
  }
  const run = (networks: string[]) =>
    runImports(world.cloud.platform, addressGuard(networks), new AbortController().signal)

  it('makes an image, also around a redirect', async () => {
    const bytes = randomBytes(50_000)
    await using server = await serving((path) => (path === '/moved' ? '/disk.raw' : bytes))
    const id = await make()
    expect((await ask(id, `${server.url}/moved`)).status).toBe(202)
    expect((await show(id)).status).toBe('importing')
    await run(['127.0.0.0/8'])
    expect(await show(id)).toMatchObject({ status: 'active', checksum: hash('md5', bytes) })
    const { tasks } = (await world.ask('GET', `${images}/${id}/tasks`)).body
    expect(tasks).toMatchObject([{ type: 'api_image_import', status: 'success' }])
  })

  it('does not reach our own networks, whatever a redirect says, and says so', async () => {
    await using server = await serving(() => 'http://169.254.169.254/latest/meta-data')
    const id = await make()
    expect((await ask(id, 'http://10.0.0.1/disk')).status).toBe(400)
    expect((await ask(id, 'file:///etc/passwd')).status).toBe(400)
    expect((await ask(id, server.url)).status).toBe(202)
    await run(['127.0.0.0/8'])
    expect(await show(id)).toMatchObject({
      status: 'queued',
      os_glance_failed_import: 'web-download',
      os_glance_import_error: expect.stringContaining('169.254.169.254 may not be fetched from'),
    })
  })

  it('is not offered where nobody fetches', async () => {
    const id = await make()
    const method = { name: 'web-download', uri: 'https://images.example/d.raw' }
    const { status, body } = await world.ask('POST', `${images}/${id}/import`, { method })
    expect([status, body.message]).toEqual([400, expect.stringContaining('bloomery image push')])
  })
})

describe('an image', () => {
  it('is changed by JSON patches, not in what is its own', async () => {
    const id = await make({ os_distro: 'debian' })
    const patch = [
      { op: 'replace', path: '/name', value: 'other' },
      { op: 'add', path: '/hw_firmware~1type', value: 'uefi' },
      { op: 'remove', path: '/os_distro' },
      { op: 'replace', path: '/min_disk', value: 20 },
    ]
    const { status, body } = await change(id, patch)
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ name: 'other', 'hw_firmware/type': 'uefi', min_disk: 20 }),
    ])
    expect(body).not.toHaveProperty('os_distro')
    const refused = async (op: object) => (await change(id, [op])).status
    expect(await refused({ op: 'replace', path: '/status', value: 'active' })).toBe(403)
    expect(await refused({ op: 'replace', path: '/nothing', value: 'x' })).toBe(409)
    expect(await refused({ op: 'add', path: '/a/b', value: 'x' })).toBe(400)
    expect(await refused({ op: 'add', path: '/x', value: 5 })).toBe(400)
    expect(await refused({ op: 'replace', path: '/visibility', value: 'public' })).toBe(403)
  })

  it('of one project is seen by another when it is shared and accepted, or community, or public', async () => {
    const other = await world.stone.member('others', 'member')
    world.cloud.pass(1) // the newest is listed first
    const id = await make()
    const status = async () => (await world.ask('GET', `${images}/${id}`, undefined, other.token)).status
    expect([await status(), await listed('', other.token)]).toEqual([404, ['debian']])
    expect((await world.ask('POST', `${images}/${id}/members`, { member: other.project })).status).toBe(200)
    expect([await status(), await listed('', other.token)]).toEqual([200, ['debian']])
    expect((await change(id, [{ op: 'replace', path: '/name', value: 'x' }], other.token)).status).toBe(403)
    const member = `${images}/${id}/members/${other.project}`
    expect((await world.ask('PUT', member, { status: 'accepted' })).status).toBe(403)
    expect((await world.ask('PUT', member, { status: 'accepted' }, other.token)).status).toBe(200)
    expect(await listed('', other.token)).toEqual(['mine', 'debian'])
    expect((await world.ask('DELETE', member)).status).toBe(204)
    expect(await status()).toBe(404)
    await change(id, [{ op: 'replace', path: '/visibility', value: 'community' }])
    expect([await status(), await listed('', other.token)]).toEqual([200, ['debian']])
    expect(await listed('?visibility=community', other.token)).toEqual(['mine'])
    await change(id, [{ op: 'replace', path: '/visibility', value: 'public' }], world.admin)
    expect(await listed('', other.token)).toEqual(['mine', 'debian'])
  })

  it('is seen by the bare metal API as by the image service', async () => {
    const id = await make({ visibility: 'private' })
    await send(`${images}/${id}/file`, randomBytes(64))
    const other = await world.stone.member('others', 'member')
    const seen = async (as: string): Promise<[number, number, boolean]> => {
      const ask = (path: string, method = 'GET') => world.ask(method, path, undefined, as)
      const all: string[] = (await ask('/v1/images')).body.images.map(({ uuid }: { uuid: string }) => uuid)
      const statuses = [await ask(`/v1/images/${id}`), await ask(`/v1/images/${id}/prefetch`)]
      return [statuses[0]!.status, statuses[1]!.status, all.includes(id)]
    }
    const [SEEN, UNSEEN] = [
      [200, 200, true],
      [404, 404, false],
    ]
    expect([await seen(world.token), await seen(other.token), await seen(world.admin)]).toEqual([SEEN, UNSEEN, SEEN])
    await change(id, [{ op: 'replace', path: '/visibility', value: 'shared' }])
    expect(await seen(other.token)).toEqual(UNSEEN)
    await world.ask('POST', `${images}/${id}/members`, { member: other.project })
    expect(await seen(other.token)).toEqual(SEEN)
    await change(id, [{ op: 'replace', path: '/visibility', value: 'community' }])
    expect(await seen((await world.stone.member('third', 'reader')).token)).toEqual(SEEN)
  })

  it('that is protected, deactivated or too large for a flavor says so', async () => {
    await world.flavor()
    const id = await make({ min_disk: 20 })
    await send(`${images}/${id}/file`, Buffer.from('a disk'))
    const server = { name: 'web', imageRef: id, flavorRef: 'm1', networks: 'none' }
    const asked = async () => (await world.ask('POST', '/compute/v2.1/servers', { server })).body.badRequest.message
    expect(await asked()).toContain('disk is too small')
    await change(id, [
      { op: 'replace', path: '/protected', value: true },
      { op: 'replace', path: '/min_disk', value: 0 },
    ])
    expect((await world.ask('DELETE', `${images}/${id}`)).status).toBe(403)
    expect((await world.ask('POST', `${images}/${id}/actions/deactivate`)).status).toBe(403)
    expect((await world.ask('POST', `${images}/${id}/actions/deactivate`, undefined, world.admin)).status).toBe(204)
    expect(await asked()).toContain('deactivated')
    expect((await world.ask('GET', `${images}/${id}/file`)).status).toBe(403)
    await world.ask('POST', `${images}/${id}/actions/reactivate`, undefined, world.admin)
    await change(id, [{ op: 'replace', path: '/protected', value: false }])
    expect((await world.ask('DELETE', `${images}/${id}`)).status).toBe(204)
    expect([await listed(), world.cloud.blobs.has(`images/${id}`)]).toEqual([['debian'], false])
  })

  it('that was pushed in chunks can be given properties by administrators', async () => {
    expect((await change(world.image, [{ op: 'add', path: '/os_distro', value: 'debian' }])).status).toBe(403)
    expect((await change(world.image, [{ op: 'add', path: '/os_distro', value: 'debian' }], world.admin)).status).toBe(
      200,
    )
    expect(await show(world.image)).toMatchObject({ name: 'debian', os_distro: 'debian', status: 'active', size: 1024 })
    expect((await world.ask('PUT', `${images}/${world.image}/tags/stable`, undefined, world.admin)).status).toBe(204)
    expect(await listed('?tag=stable')).toEqual(['debian'])
    expect(await listed('?tag=old')).toEqual([])
  })
})

it('a list has pages, filters and an order', async () => {
  for (const name of ['b', 'a', 'c']) {
    world.cloud.pass(1)
    await make({ name, min_disk: name.charCodeAt(0) })
  }
  expect(await listed()).toEqual(['c', 'a', 'b', 'debian'])
  expect(await listed('?sort=name:asc')).toEqual(['a', 'b', 'c', 'debian'])
  expect(await listed('?name=in:a,c&sort_key=min_disk&sort_dir=asc')).toEqual(['a', 'c'])
  expect(await listed('?status=queued&limit=2')).toEqual(['c', 'a'])
  const page = (await world.ask('GET', `${images}?limit=3`)).body
  expect(await listed(page.next.slice('/v2/images'.length))).toEqual(['debian'])
  expect((await world.ask('GET', `${images}?sort=weight`)).status).toBe(400)
  expect((await world.ask('GET', `${images}?marker=nobody`)).status).toBe(400)
  const schema = (await world.ask('GET', '/image/v2/schemas/image')).body
  expect(schema).toMatchObject({ name: 'image', properties: { min_disk: { type: 'integer' } } })
})

/** A web server that gives bytes, or redirects. */
async function serving(answer: (path: string) => Uint8Array | string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    const what = answer(request.url ?? '')
    if (typeof what === 'string') response.writeHead(302, { location: what }).end()
    else response.end(what)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}
