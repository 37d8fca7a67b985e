import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { open } from '../../contract/seal.ts'
import { completeAttachment, connectAttachment, detachVolume, reserveVolume } from '../../lambdas/volume/attach.ts'
import { InstanceWorld } from './instance-world.ts'
import { SYSTEM } from './keystone.ts'
import { VolumeSite } from './volume-site.ts'

let world: InstanceWorld
let site: VolumeSite
beforeEach(async () => {
  world = await InstanceWorld.open()
  site = await VolumeSite.open(world.cloud, 'berlin', 'box-2')
})
afterEach(() => world[Symbol.asyncDispose]())

const path = '/volume/v3'
const INITIATOR = 'iqn.2026-11.org.example:node-1'

function ask(method: string, rest: string, body?: unknown, as = world.token) {
  return world.ask(method, path + rest, body, as, 'volume 3.59')
}
async function made(more: object = {}): Promise<string> {
  const { status, body } = await ask('POST', '/volumes', { volume: { size: 5, name: 'data', ...more } })
  expect(status, JSON.stringify(body)).toBe(202)
  return body.volume.id
}
const volume = async (id: string) => (await ask('GET', `/volumes/${id}`)).body.volume
const act = (id: string, action: object, as = world.token) => ask('POST', `/volumes/${id}/action`, action, as)
async function available(more: object = {}): Promise<string> {
  const id = await made(more)
  await site.answer()
  expect(await volume(id)).toMatchObject({ status: 'available' })
  return id
}

/** Somebody whose role is on the system, and on no project. */
async function overseeing(role: string): Promise<string> {
  const token = await world.stone.admin()
  const user = { name: `system-${role}`, password: 'secret' }
  const { id } = (await world.stone.identity('POST', '/users', { token, body: { user } })).body.user
  const [granted] = (await world.stone.identity('GET', `/roles?name=${role}`, { token })).body.roles
  await world.stone.identity('PUT', `/system/users/${id}/roles/${granted.id}`, { token })
  return world.stone.login(user.name, user.password, SYSTEM)
}

describe('a volume', () => {
  it('is made at a site, grows there, and is gone when the site says so', async () => {
    const id = await made({ metadata: { use: 'data' }, availability_zone: 'berlin' })
    expect(await volume(id)).toMatchObject({
      status: 'creating',
      size: 5,
      availability_zone: 'berlin',
      bootable: 'false',
    })
    expect(site.told(id)).toMatchObject({ generation: 1, wanted: { gib: 5, source: null, snapshots: [], exports: [] } })
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', metadata: { use: 'data' } })

    expect((await act(id, { 'os-extend': { new_size: 4 } })).status).toBe(400)
    expect((await act(id, { 'os-extend': { new_size: 8 } })).status).toBe(202)
    expect(await volume(id)).toMatchObject({ status: 'extending' })
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', size: 8 })

    expect((await ask('DELETE', `/volumes/${id}`)).status).toBe(202)
    expect(await volume(id)).toMatchObject({ status: 'deleting' })
    expect(site.told(id)).toMatchObject({ generation: 3, wanted: null })
    await site.answer()
    expect((await ask('GET', `/volumes/${id}`)).status).toBe(404)
  })

  it('is made of an image, of a snapshot and of a volume, where those are', async () => {
    const first = await available({ imageRef: world.image })
    expect(await volume(first)).toMatchObject({ bootable: 'true', volume_image_metadata: { image_id: world.image } })
    expect(site.told(first)?.wanted?.source).toMatchObject({ kind: 'image', image: { name: 'debian' } })

    const { body } = await ask('POST', '/snapshots', { snapshot: { volume_id: first, name: 'before' } })
    expect(body.snapshot).toMatchObject({ status: 'creating', size: 5, volume_id: first })
    await site.answer()
    const snapshot = body.snapshot.id
    expect((await ask('GET', `/snapshots/${snapshot}`)).body.snapshot).toMatchObject({ status: 'available' })
    expect((await ask('DELETE', `/volumes/${first}`)).status).toBe(400)

    const second = await available({ snapshot_id: snapshot, size: 7 })
    expect(site.told(second)?.wanted).toMatchObject({ gib: 7, source: { kind: 'snapshot', volume: first, snapshot } })
    expect(await volume(second)).toMatchObject({ snapshot_id: snapshot, bootable: 'true' })
    const third = await available({ source_volid: first, size: null })
    expect(site.told(third)?.wanted?.source).toEqual({ kind: 'volume', volume: first })

    await ask('DELETE', `/snapshots/${snapshot}`)
    expect(site.told(first)?.wanted?.snapshots).toEqual([])
    await site.answer()
    expect((await ask('GET', `/snapshots/${snapshot}`)).status).toBe(404)
  })

  it('says what went wrong, and can be deleted all the same', async () => {
    const id = await made()
    await site.answer('the disk is full')
    expect(await volume(id)).toMatchObject({ status: 'error', 'bloomery:fault': 'the disk is full' })
    await ask('DELETE', `/volumes/${id}`)
    await site.answer()
    expect((await ask('GET', `/volumes/${id}`)).status).toBe(404)

    const large = await made({ size: 1000 })
    const fault = (await volume(large))['bloomery:fault']
    expect(fault).toContain('no appliance that is there has room for 1000 GiB')
    await ask('DELETE', `/volumes/${large}`)
    expect((await ask('GET', `/volumes/${large}`)).status).toBe(404)

    const grown = await available()
    await act(grown, { 'os-extend': { new_size: 9 } })
    await site.answer('the disk is full')
    expect(await volume(grown)).toMatchObject({ status: 'error_extending', size: 5 })
  })

  it('that its site says nothing of has failed after an hour', async () => {
    const id = await made()
    world.cloud.pass(3601)
    await world.cloud.tick()
    const { token } = await world.stone.member('tenants', 'member')
    const { body } = await ask('GET', `/volumes/${id}`, undefined, token)
    expect(body.volume).toMatchObject({ status: 'error' })
    expect(body.volume['bloomery:fault']).toContain('is its appliance there?')
  })

  it('is attached by name: reserved, attaching with a secret that is told once, attached; and detached', async () => {
    const id = await available()
    const server = '00000009-0000-4000-8000-000000000001'
    const reserved = await ask('POST', '/attachments', { attachment: { volume_uuid: id, instance_uuid: server } })
    expect(reserved.body.attachment).toMatchObject({ status: 'reserved', instance: server, connection_info: {} })
    expect(await volume(id)).toMatchObject({ status: 'reserved', attachments: [] })
    expect((await ask('POST', '/attachments', { attachment: { volume_uuid: id } })).status).toBe(400)
    expect((await ask('DELETE', `/volumes/${id}`)).status).toBe(400)

    const one = `/attachments/${reserved.body.attachment.id}`
    await using _answering = site.answering()
    const { body } = await ask('PUT', one, { attachment: { connector: { initiator: INITIATOR, host: 'n1' } } })
    const info = body.attachment.connection_info
    expect(info).toMatchObject({
      driver_volume_type: 'iscsi',
      target_lun: 1,
      target_portal: '10.20.0.1:3260',
      auth_method: 'CHAP',
    })
    const [exported] = site.told(id)?.wanted?.exports ?? []
    if (!exported) throw new Error('nothing was exported')
    expect(exported.initiator).toBe(INITIATOR)
    const bind = `${id}/${exported.attachment}`
    expect(open(exported.secret, bind, site.uuid, site.key.privateKey)).toBe(info.auth_password)
    expect(info.auth_password).toHaveLength(16)
    expect((await ask('GET', one)).body.attachment.connection_info).not.toHaveProperty('auth_password')
    expect(JSON.stringify(world.cloud.logged)).not.toContain(info.auth_password)

    expect((await ask('POST', `${one}/action`, { 'os-complete': null })).status).toBe(204)
    expect(await volume(id)).toMatchObject({ status: 'in-use', attachments: [{ server_id: server, host_name: 'n1' }] })
    expect((await act(id, { 'os-extend': { new_size: 9 } })).status).toBe(400)
    expect((await ask('POST', '/snapshots', { snapshot: { volume_id: id } })).status).toBe(400)

    expect((await ask('DELETE', one)).body).toEqual({ attachments: [] })
    await expect.poll(async () => (await volume(id)).status, { timeout: 30_000 }).toBe('available')
    expect(site.told(id)?.wanted?.exports).toEqual([])
  })

  it('is connected to nobody by an attachment that is deleted while it is looked at', async () => {
    const id = await available()
    const { platform } = world.cloud
    const which = { volume: id, attachment: '00000009-0000-4000-8000-000000000002' }
    const connector = { initiator: INITIATOR }
    await expect(connectAttachment(platform, which, connector)).rejects.toMatchObject({ status: 409 })
    expect(await volume(id)).toMatchObject({ status: 'available' })
    await reserveVolume(platform, which, null)
    await connectAttachment(platform, which, connector)
    await detachVolume(platform, which)
    await expect(connectAttachment(platform, which, connector)).rejects.toMatchObject({ status: 409 })
    await completeAttachment(platform, which)
    await world.cloud.settle()
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', attachments: [] })
  })

  it('is attached as older clients do it', async () => {
    const id = await available()
    await using _answering = site.answering()
    const connector = { initiator: INITIATOR, host: 'n1' }
    expect((await act(id, { 'os-reserve': null })).status).toBe(202)
    const { body } = await act(id, { 'os-initialize_connection': { connector } })
    expect(body.connection_info).toMatchObject({ driver_volume_type: 'iscsi', data: { auth_method: 'CHAP' } })
    await act(id, { 'os-attach': { instance_uuid: '00000009-0000-4000-8000-000000000001', mountpoint: '/dev/sda' } })
    expect(await volume(id)).toMatchObject({ status: 'in-use' })
    await act(id, { 'os-begin_detaching': null })
    expect(await volume(id)).toMatchObject({ status: 'detaching' })
    await act(id, { 'os-roll_detaching': null })
    expect(await volume(id)).toMatchObject({ status: 'in-use' })
    await act(id, { 'os-begin_detaching': null })
    await act(id, { 'os-terminate_connection': { connector } })
    await act(id, { 'os-detach': {} })
    await expect.poll(async () => (await volume(id)).status, { timeout: 30_000 }).toBe('available')
  })

  it("is its project's: others neither see nor change it", async () => {
    const id = await available()
    const { token } = await world.stone.member('strangers', 'member')
    expect((await ask('GET', `/volumes/${id}`, undefined, token)).status).toBe(404)
    expect((await ask('DELETE', `/volumes/${id}`, undefined, token)).status).toBe(404)
    expect((await ask('GET', '/volumes', undefined, token)).body.volumes).toEqual([])
    expect((await ask('POST', '/volumes', { volume: { source_volid: id } }, token)).status).toBe(404)
    expect((await act(id, { 'os-reset_status': { status: 'error' } })).status).toBe(403)
    expect((await act(id, { 'os-reset_status': { status: 'error' } }, world.admin)).status).toBe(202)
  })

  it.each(['reader', 'member'])(
    'of a project is seen by a system-scoped %s, who changes nothing of it',
    async (role) => {
      const id = await available()
      const snapshot = (await ask('POST', '/snapshots', { snapshot: { volume_id: id } })).body.snapshot.id
      await site.answer()
      const attached = await available()
      const reserved = await ask('POST', '/attachments', { attachment: { volume_uuid: attached } })
      const attachment = reserved.body.attachment.id
      const overseer = await overseeing(role)
      for (const path of [
        `/volumes/${id}`,
        `/volumes/${id}/metadata`,
        `/snapshots/${snapshot}`,
        `/attachments/${attachment}`,
      ])
        expect([path, (await ask('GET', path, undefined, overseer)).status]).toEqual([path, 200])
      const { volumes } = (await ask('GET', '/volumes?all_tenants=1', undefined, overseer)).body
      expect(volumes.map((each: { id: string }) => each.id)).toEqual(expect.arrayContaining([id, attached]))

      const before = await Promise.all([volume(id), volume(attached)])
      const changes: [string, string, object?][] = [
        ['PUT', `/volumes/${id}`, { volume: { name: 'mine' } }],
        ['DELETE', `/volumes/${id}`],
        ['POST', `/volumes/${id}/metadata`, { metadata: { a: 'b' } }],
        ['POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 9 } }],
        ['POST', `/volumes/${id}/action`, { 'os-reserve': null }],
        ['POST', `/volumes/${id}/action`, { 'os-reset_status': { status: 'error' } }],
        ['POST', `/volumes/${id}/action`, { 'os-force_delete': {} }],
        ['POST', '/volumes', { volume: { source_volid: id } }],
        ['POST', '/snapshots', { snapshot: { volume_id: id } }],
        ['PUT', `/snapshots/${snapshot}`, { snapshot: { name: 'mine' } }],
        ['DELETE', `/snapshots/${snapshot}`],
        ['POST', `/snapshots/${snapshot}/action`, { 'os-force_delete': {} }],
        ['POST', '/attachments', { attachment: { volume_uuid: id } }],
        ['PUT', `/attachments/${attachment}`, { attachment: { connector: { initiator: INITIATOR } } }],
        ['POST', `/attachments/${attachment}/action`, { 'os-complete': null }],
        ['DELETE', `/attachments/${attachment}`],
      ]
      for (const [method, path, body] of changes)
        expect([method, path, (await ask(method, path, body, overseer)).status]).toEqual([method, path, 403])
      expect(await Promise.all([volume(id), volume(attached)])).toEqual(before)
      expect((await ask('GET', `/snapshots/${snapshot}`)).body.snapshot).toMatchObject({ status: 'available' })
    },
  )

  it('goes where its type says', async () => {
    const paris = await VolumeSite.open(world.cloud, 'paris', 'box-3', 10)
    const type = { name: 'in-paris', extra_specs: { volume_backend_name: 'paris' } }
    expect((await ask('POST', '/types', { volume_type: type })).status).toBe(403)
    expect((await ask('POST', '/types', { volume_type: type }, world.admin)).status).toBe(200)
    const id = await made({ volume_type: 'in-paris' })
    await paris.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', availability_zone: 'paris', volume_type: 'in-paris' })
    const elsewhere = { volume: { size: 1, volume_type: 'in-paris', availability_zone: 'berlin' } }
    expect((await ask('POST', '/volumes', elsewhere)).status).toBe(400)
    expect((await ask('GET', '/os-availability-zone')).body.availabilityZoneInfo).toEqual(
      expect.arrayContaining([{ zoneName: 'paris', zoneState: { available: true } }]),
    )
    const pools = (await ask('GET', '/scheduler-stats/get_pools', undefined, world.admin)).body.pools
    expect(pools.find(({ name }: { name: string }) => name === 'box-3@paris').capabilities.free_capacity_gb).toBe(5)
  })

  it('is of a private type only for the projects that may use it', async () => {
    const type = { name: 'secret', 'os-volume-type-access:is_public': false }
    const made = await ask('POST', '/types', { volume_type: type }, world.admin)
    const path = `/types/${made.body.volume_type.id}`
    const wish = { volume: { size: 1, volume_type: 'secret' } }
    expect((await ask('GET', path)).status).toBe(404)
    expect((await ask('POST', '/volumes', wish)).status).toBe(404)
    const { token, project } = await world.stone.member('guests', 'member')
    const access = (action: string) => ask('POST', `${path}/action`, { [action]: { project } }, world.admin)
    expect((await access('removeProjectAccess')).status).toBe(404)
    expect((await access('addProjectAccess')).status).toBe(202)
    expect((await access('addProjectAccess')).status).toBe(409)
    expect((await ask('POST', '/volumes', wish, token)).status).toBe(202)
    expect((await ask('GET', `${path}/os-volume-type-access`, undefined, world.admin)).body).toMatchObject({
      volume_type_access: [{ project_id: project }],
    })
    expect((await ask('GET', `${path}/os-volume-type-access`, undefined, token)).status).toBe(403)
  })

  it('is of a type whose name no other has, whoever may see which of them', async () => {
    const make = (name: string, isPublic: boolean) =>
      ask('POST', '/types', { volume_type: { name, 'os-volume-type-access:is_public': isPublic } }, world.admin)
    const [open, hidden] = [await make('fast', true), await make('own', false)]
    expect([open.status, hidden.status]).toEqual([200, 200])
    const clash = { status: 409, body: { conflictingRequest: { message: 'Volume Type fast already exists.' } } }
    expect(await make('fast', false)).toMatchObject(clash)
    const renamed = { volume_type: { name: 'fast' } }
    expect(await ask('PUT', `/types/${hidden.body.volume_type.id}`, renamed, world.admin)).toMatchObject(clash)
    expect((await make('own', true)).status).toBe(409)
    expect((await ask('DELETE', `/types/${open.body.volume_type.id}`, undefined, world.admin)).status).toBe(202)
    expect((await make('fast', false)).status).toBe(200)
  })

  it('has snapshots whose state an administrator sets, and that go though they are in the making', async () => {
    const id = await available()
    const { body } = await ask('POST', '/snapshots', { snapshot: { volume_id: id } })
    const path = `/snapshots/${body.snapshot.id}`
    const act = (action: object, as?: string) => ask('POST', `${path}/action`, action, as)
    expect((await ask('DELETE', path)).status).toBe(400)
    expect((await act({ 'os-reset_status': { status: 'error' } })).status).toBe(403)
    expect((await act({ 'os-reset_status': { status: 'error' } }, world.admin)).status).toBe(202)
    expect((await ask('GET', path)).body.snapshot.status).toBe('error')
    expect((await act({ 'os-force_delete': null }, world.admin)).status).toBe(202)
    await site.answer()
    expect((await ask('GET', path)).status).toBe(404)
    expect(
      (await ask('POST', `/volumes/${id}/action`, { 'os-update_readonly_flag': { readonly: false } })).status,
    ).toBe(202)
    expect((await ask('POST', `/volumes/${id}/action`, { 'os-update_readonly_flag': { readonly: true } })).status).toBe(
      400,
    )
  })

  it('is counted: in number, size and snapshots; what fails or goes is given back', async () => {
    const limit = { volumes: 2, gigabytes: 8, snapshots: 1 }
    const project = (await world.stone.member('tenants', 'member')).project
    await ask('PUT', `/os-quota-sets/${project}`, { quota_set: limit }, world.admin)
    const used = async () => {
      const { volumes, gigabytes, snapshots } = (await ask('GET', `/os-quota-sets/${project}?usage=True`)).body
        .quota_set
      return [volumes.in_use, gigabytes.in_use, snapshots.in_use]
    }
    const id = await available()
    const refusal = async (method: string, path: string, body: object) =>
      (await ask(method, path, body)).body.forbidden.message
    expect(await refusal('POST', '/volumes', { volume: { size: 4 } })).toContain('gigabytes')
    expect(await refusal('POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 9 } })).toContain('gigabytes')
    await act(id, { 'os-extend': { new_size: 7 } })
    expect(await used()).toEqual([1, 7, 0])
    await site.answer('the disk is full')
    expect(await used()).toEqual([1, 5, 0])
    await act(id, { 'os-reset_status': { status: 'available' } }, world.admin)
    await ask('POST', '/snapshots', { snapshot: { volume_id: id } })
    await site.answer()
    expect(await refusal('POST', '/snapshots', { snapshot: { volume_id: id } })).toContain('snapshots')
    expect(await used()).toEqual([1, 5, 1])
    await ask('DELETE', `/volumes/${id}?cascade=true`)
    await site.answer()
    expect(await used()).toEqual([0, 0, 0])
    const general = { quota_class_set: { snapshots: 0 } }
    expect((await ask('PUT', '/os-quota-class-sets/default', general)).status).toBe(403)
    expect(
      (await ask('PUT', '/os-quota-class-sets/default', general, world.admin)).body.quota_class_set.snapshots,
    ).toBe(0)
  })
})
