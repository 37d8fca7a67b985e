import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { InstanceWorld } from './instance-world.ts'

/** How much of images a project may have: set by Keystone's unified limits, counted where images are written. */

let world: InstanceWorld
let system: string
let other: { project: string; token: string }
beforeEach(async () => {
  world = await InstanceWorld.open()
  system = await world.stone.admin()
  other = await world.stone.member('others', 'member')
})
afterEach(() => world[Symbol.asyncDispose]())

const MIB = 1024 * 1024
const images = '/image/v2/images'
const limits = '/identity/v3/limits'

async function limit(resource_name: string, resource_limit: number): Promise<string> {
  const wanted = { project_id: other.project, service_id: 'any', resource_name, resource_limit }
  const { status, body } = await world.ask('POST', limits, { limits: [wanted] }, system)
  expect([status, body.limits]).toEqual([201, [expect.objectContaining({ resource_name, resource_limit })]])
  return body.limits[0].id
}
async function make(): Promise<string> {
  const bare = { name: 'mine', disk_format: 'raw', container_format: 'bare' }
  return (await world.ask('POST', images, bare, other.token)).body.id
}
async function send(path: string, body: Buffer | ReadableStream): Promise<[number, string]> {
  const headers = { 'x-auth-token': other.token, 'content-type': 'application/octet-stream' }
  const init = { method: 'PUT', headers, body, duplex: 'half' } as RequestInit
  const reply = await world.cloud.request(path, init)
  return [reply.status, await reply.text()]
}
const bytes = (mib: number): Buffer => randomBytes(mib * MIB)
const status = async (id: string) => (await world.ask('GET', `${images}/${id}`, undefined, other.token)).body.status
const used = async (): Promise<Record<string, number>> => {
  const { usage } = (await world.ask('GET', '/image/v2/info/usage', undefined, other.token)).body
  return Object.fromEntries(
    Object.entries(usage as Record<string, { usage: number }>).map(([name, each]) => [name.slice(6), each.usage]),
  )
}
const nothing = { count_total: 0, count_uploading: 0, size_total: 0, stage_total: 0 }

it('bytes beyond the limit are refused, whether their number is said before or not, and leave the image as it was', async () => {
  await limit('image_size_total', 3)
  const [first, second] = [await make(), await make()]
  expect((await send(`${images}/${first}/file`, bytes(2)))[0]).toBe(204)
  const refused = [413, expect.stringContaining('Resource image_size_total is over limit of 3 due to current usage 2')]
  expect(await send(`${images}/${second}/file`, bytes(2))).toEqual(refused)
  const unsaid = Readable.toWeb(Readable.from([bytes(1), bytes(1)])) as ReadableStream
  expect(await send(`${images}/${second}/file`, unsaid)).toEqual(refused)
  expect([await status(second), await used()]).toEqual(['queued', { ...nothing, count_total: 2, size_total: 2 }])
  expect((await send(`${images}/${second}/file`, bytes(1)))[0]).toBe(204)
  await world.ask('DELETE', `${images}/${first}`, undefined, other.token)
  expect(await used()).toEqual({ ...nothing, count_total: 1, size_total: 1 })
})

it('of uploads at once there is room for as many as there is room for', async () => {
  await limit('image_size_total', 2)
  const all = [await make(), await make(), await make(), await make()]
  const replies = await Promise.all(all.map((id) => send(`${images}/${id}/file`, bytes(1))))
  expect(replies.map(([code]) => code).toSorted((a, b) => a - b)).toEqual([204, 204, 413, 413])
  const statuses: string[] = await Promise.all(all.map(status))
  expect(statuses.filter((each) => each === 'active')).toHaveLength(2)
  expect(statuses.filter((each) => each === 'queued')).toHaveLength(2)
  expect(world.cloud.blobs.size).toBe(2)
  expect(await used()).toEqual({ ...nothing, count_total: 4, size_total: 2 })
})

it('what is staged counts by itself until it is imported', async () => {
  await limit('image_stage_total', 1)
  await limit('image_size_total', 1)
  const id = await make()
  expect((await send(`${images}/${id}/stage`, bytes(2)))[0]).toBe(413)
  expect((await send(`${images}/${id}/stage`, bytes(1)))[0]).toBe(204)
  expect(await used()).toEqual({ count_total: 1, count_uploading: 1, size_total: 0, stage_total: 1 })
  await world.ask('POST', `${images}/${id}/import`, { method: { name: 'glance-direct' } }, other.token)
  expect(await used()).toEqual({ ...nothing, count_total: 1, size_total: 1 })
})

it('images are limited in number, and those to which data come', async () => {
  await limit('image_count_total', 2)
  await limit('image_count_uploading', 0)
  const id = await make()
  await make()
  const { status: code, body } = await world.ask('POST', images, { name: 'third' }, other.token)
  expect([code, body.message]).toEqual([413, expect.stringContaining('image_count_total is over limit of 2')])
  const [refused, why] = await send(`${images}/${id}/file`, bytes(1))
  expect([refused, why]).toEqual([413, expect.stringContaining('image_count_uploading is over limit of 0')])
})

it('an image that is given to another project counts there', async () => {
  const id = await make()
  await send(`${images}/${id}/file`, bytes(1))
  const patch = [{ op: 'replace', path: '/owner', value: 'elsewhere' }]
  const headers = { 'x-auth-token': world.admin, 'content-type': 'application/openstack-images-v2.1-json-patch' }
  const init = { method: 'PATCH', headers, body: JSON.stringify(patch) }
  expect((await world.cloud.request(`${images}/${id}`, init)).status).toBe(200)
  expect(await used()).toEqual(nothing)
})

it('limits are what administrators say, for all or for a project, and each project sees its own', async () => {
  const list = async (path: string, as: string) => (await world.ask('GET', `/identity/v3/${path}`, undefined, as)).body
  const [size] = (await list('registered_limits?resource_name=image_size_total', system)).registered_limits
  expect(size).toMatchObject({ default_limit: -1, service_id: expect.any(String), region_id: 'RegionOne' })
  const change = { registered_limit: { default_limit: 1 } }
  const registered = `/identity/v3/registered_limits/${size.id}`
  expect((await world.ask('PATCH', registered, change, other.token)).status).toBe(403)
  expect((await world.ask('PATCH', registered, change, system)).body.registered_limit.default_limit).toBe(1)
  const id = await make()
  expect((await send(`${images}/${id}/file`, bytes(2)))[0]).toBe(413)
  const own = await limit('image_size_total', 5)
  expect((await send(`${images}/${id}/file`, bytes(2)))[0]).toBe(204)
  const again = { project_id: other.project, resource_name: 'image_size_total', resource_limit: 6 }
  expect((await world.ask('POST', limits, { limits: [again] }, system)).status).toBe(409)
  const seen = async (as: string) => (await list('limits', as)).limits.map((each: { id: string }) => each.id)
  expect([await seen(system), await seen(other.token), await seen(world.token)]).toEqual([[own], [own], []])
  const one = `${limits}/${own}`
  expect((await world.ask('PATCH', one, { limit: { resource_limit: 7 } }, system)).body.limit.resource_limit).toBe(7)
  expect((await world.ask('PATCH', one, { limit: { resource_limit: 7 } }, other.token)).status).toBe(403)
  expect((await world.ask('DELETE', one, undefined, system)).status).toBe(204)
  expect((await world.ask('GET', one, undefined, system)).status).toBe(404)
  expect((await world.ask('POST', '/identity/v3/registered_limits', { registered_limits: [] }, system)).status).toBe(
    403,
  )
  expect((await list('limits/model', system)).model.name).toBe('flat')
})
