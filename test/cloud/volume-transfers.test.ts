import { afterEach, beforeEach, expect, it } from 'vitest'
import { InstanceWorld } from './instance-world.ts'
import { VolumeSite } from './volume-site.ts'

let world: InstanceWorld
let site: VolumeSite
let other: { project: string; token: string }
beforeEach(async () => {
  world = await InstanceWorld.open()
  site = await VolumeSite.open(world.cloud, 'berlin', 'box-2')
  other = await world.stone.member('others', 'member')
})
afterEach(() => world[Symbol.asyncDispose]())

const transfers = '/os-volume-transfer'
const ask = (method: string, path: string, body?: unknown, as = world.token) =>
  world.ask(method, `/volume/v3${path}`, body, as, 'volume 3.59')
const statusOf = async (id: string, as = world.token) => {
  const { status, body } = await ask('GET', `/volumes/${id}`, undefined, as)
  return status === 200 ? body.volume.status : status
}
const used = async (as: string, project: string) => {
  const { quota_set } = (await ask('GET', `/os-quota-sets/${project}?usage=true`, undefined, as)).body
  return ['volumes', 'gigabytes', 'snapshots'].map((name) => quota_set[name].in_use)
}
async function offered(): Promise<{ volume: string; transfer: string; key: string }> {
  const { body } = await ask('POST', '/volumes', { volume: { size: 5, name: 'data' } })
  await site.answer()
  const volume = body.volume.id
  await ask('POST', '/snapshots', { snapshot: { volume_id: volume, name: 'before' } })
  await site.answer()
  const made = await ask('POST', transfers, { transfer: { volume_id: volume, name: 'present' } })
  expect([made.status, made.body.transfer]).toEqual([
    202,
    expect.objectContaining({ name: 'present', volume_id: volume }),
  ])
  return { volume, transfer: made.body.transfer.id, key: made.body.transfer.auth_key }
}

it('a volume goes with its snapshots to the project that says the key, and counts there', async () => {
  const { volume, transfer, key } = await offered()
  expect(await statusOf(volume)).toBe('awaiting-transfer')
  expect((await ask('POST', transfers, { transfer: { volume_id: volume } })).status).toBe(400)
  expect((await ask('DELETE', `/volumes/${volume}`)).status).toBe(400)
  const accept = (auth_key: string, as = other.token) =>
    ask('POST', `${transfers}/${transfer}/accept`, { accept: { auth_key } }, as)
  expect((await accept('guessed')).body.badRequest.message).toContain('invalid auth key')
  const reader = await world.stone.member('others', 'reader')
  expect((await accept(key, reader.token)).status).toBe(403)
  expect((await accept(key)).status).toBe(202)
  expect([await statusOf(volume), await statusOf(volume, other.token)]).toEqual([404, 'available'])
  expect((await ask('GET', '/snapshots', undefined, other.token)).body.snapshots).toHaveLength(1)
  const project = (await ask('GET', `/volumes/${volume}`, undefined, other.token)).body.volume
  expect(project['os-vol-tenant-attr:tenant_id']).toBe(other.project)
  const mine = (await world.stone.member('tenants', 'member')).project
  expect([await used(world.token, mine), await used(other.token, other.project)]).toEqual([
    [0, 0, 0],
    [1, 5, 1],
  ])
  expect((await accept(key)).status).toBe(404)
  expect(JSON.stringify(world.cloud.logged)).not.toContain(key)
})

it('what is offered is seen by its owner alone, who takes it back', async () => {
  const { volume, transfer, key } = await offered()
  const list = async (as: string, path = transfers) =>
    (await ask('GET', path, undefined, as)).body.transfers.map(({ id }: { id: string }) => id)
  expect([await list(world.token), await list(other.token)]).toEqual([[transfer], []])
  expect(await list(world.admin, `${transfers}/detail?all_tenants=1`)).toEqual([transfer])
  expect(JSON.stringify((await ask('GET', `${transfers}/${transfer}`)).body)).not.toContain(key)
  expect((await ask('GET', `${transfers}/${transfer}`, undefined, other.token)).status).toBe(404)
  expect((await ask('DELETE', `${transfers}/${transfer}`, undefined, other.token)).status).toBe(404)
  expect((await ask('DELETE', `${transfers}/${transfer}`)).status).toBe(202)
  expect([await statusOf(volume), await list(world.token)]).toEqual(['available', []])
  const late = await ask('POST', `${transfers}/${transfer}/accept`, { accept: { auth_key: key } }, other.token)
  expect(late.status).toBe(404)
})

it('a project that has no room for it is refused, and of two who accept at once one has it', async () => {
  const { volume, transfer, key } = await offered()
  const quota = { quota_set: { gigabytes: 4 } }
  expect((await ask('PUT', `/os-quota-sets/${other.project}`, quota, world.admin)).status).toBe(200)
  const accept = (as: string) => ask('POST', `${transfers}/${transfer}/accept`, { accept: { auth_key: key } }, as)
  expect((await accept(other.token)).body.forbidden.message).toContain('Quota exceeded for gigabytes')
  expect(await statusOf(volume)).toBe('awaiting-transfer')
  const third = await world.stone.member('third', 'member')
  const replies = await Promise.all([accept(third.token), accept(third.token)])
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 404])
  expect(await used(third.token, third.project)).toEqual([1, 5, 1])
})
