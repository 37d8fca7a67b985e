import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Server } from '../../contract/compute.ts'
import type { Plan } from '../../contract/plan.ts'
import { open } from '../../contract/seal.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { appliancesOf } from '../../lambdas/store/appliances.ts'
import { commandsTo } from './control-plane.ts'
import { InstanceWorld } from './instance-world.ts'
import { VolumeSite } from './volume-site.ts'

let world: InstanceWorld
let site: VolumeSite
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
  site = await VolumeSite.open(world.cloud, 'berlin', 'box-2')
})
afterEach(() => world[Symbol.asyncDispose]())

const able = { storage_interface: 'cinder', properties: { capabilities: 'iscsi_boot:true,boot_mode:bios' } }
const ask = (method: string, path: string, body?: unknown) =>
  world.ask(method, `/volume/v3${path}`, body, world.token, 'volume 3.59')
const volume = async (id: string) => (await ask('GET', `/volumes/${id}`)).body.volume
async function madeVolume(more: object = {}): Promise<string> {
  const { body } = await ask('POST', '/volumes', { volume: { size: 5, ...more } })
  await site.answer()
  return body.volume.id
}
const of = async (id: string): Promise<Server> => (await serverStore.get(world.cloud.platform.table, id))!
async function planOf(node: string): Promise<Plan> {
  const appliances = await appliancesOf(world.cloud.platform.table, 'berlin')
  const runs = appliances.flatMap(({ uuid }) => commandsTo(world.cloud, uuid)).filter(({ kind }) => kind === 'run')
  const plans = runs.filter((each) => each.node === node) as { plan: Plan; issued_at: string; generation: number }[]
  const plan = plans.toSorted((a, b) => a.generation - b.generation).at(-1)?.plan
  if (!plan) throw new Error(`no plan was sent for ${node}`)
  return plan
}
const stepsOf = ({ steps }: Plan): string[] => steps.map(({ interface: kind, step }) => `${kind}.${step}`)
const attachments = (server: string): string => `/compute/v2.1/servers/${server}/os-volume_attachments`
const act = (server: string, action: object) => world.ask('POST', `/compute/v2.1/servers/${server}/action`, action)
const rested = { target_power_state: null, power_operation: null }

/** A server on a disk of its own. */
async function running(more: object = {}, node: object = able): Promise<{ server: string; node: string }> {
  const uuid = await world.node('n1', node)
  const server = await world.asked({ networks: 'none', ...more })
  for (let turn = 0; turn < 4; turn += 1) await site.answer()
  await world.deployed(uuid)
  return { server, node: uuid }
}
async function stopped(more: object = {}): Promise<{ server: string; node: string }> {
  const made = await running(more)
  await act(made.server, { 'os-stop': null })
  await world.change(made.node, { power_state: 'power off', ...rested })
  return made
}

describe('data volumes', () => {
  it('come with a server: its image is written, and iPXE hooks one in at each start', async () => {
    const id = await madeVolume()
    const device = { destination_type: 'volume', boot_index: -1, uuid: id, source_type: 'volume' }
    const local = { uuid: world.image, source_type: 'image', destination_type: 'local', boot_index: 0 }
    const { server, node } = await running({ block_device_mapping_v2: [local, device] })
    const plan = await planOf(node)
    expect(stepsOf(plan)).toEqual(
      expect.arrayContaining(['deploy.write_image', 'boot.prepare_instance_volume', 'deploy.boot_instance']),
    )
    expect(plan.machine.boot_volume).toBeUndefined()
    const [first] = plan.machine.data_volumes ?? []
    expect(first?.iqn).toContain(id)
    const { secret, bind } = first?.chap ?? {}
    const [exported] = site.told(id)?.wanted?.exports ?? []
    if (!secret || !bind || !exported) throw new Error('there is no secret')
    expect(open(secret, bind, site.uuid, site.key.privateKey)).toBe(
      open(exported.secret, `${id}/${exported.attachment}`, site.uuid, site.key.privateKey),
    )
    const targets = await world.cloud.client.volumeTargets.list({ node })
    expect(targets).toMatchObject([{ boot_index: 1, volume_id: id }])
    await world.ask('DELETE', `/compute/v2.1/servers/${server}`)
    await world.tornDown(node)
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', attachments: [] })
    expect(await world.cloud.client.volumeTargets.list({ node })).toEqual([])
  })

  it('are hooked in behind the one that is booted from, by UEFI', async () => {
    const [root, id] = [await madeVolume({ imageRef: world.image }), await madeVolume()]
    const mapping = { source_type: 'volume', destination_type: 'volume' }
    const devices = [
      { ...mapping, uuid: id, boot_index: null },
      { ...mapping, uuid: root, boot_index: 0 },
      { ...mapping, source_type: 'blank', volume_size: 3, delete_on_termination: true },
    ]
    await world.node('n0', { ...able, resource_class: 'metal' })
    const uefi = { ...able, properties: { capabilities: 'iscsi_boot:true,boot_mode:uefi' } }
    const { server, node } = await running({ imageRef: undefined, block_device_mapping_v2: devices }, uefi)
    const blank = (await of(server)).volumes?.[2]?.volume ?? ''
    const { machine } = await planOf(node)
    expect(machine.boot_volume?.iqn).toContain(root)
    const data = [id, blank].map((each) => expect.stringContaining(each) as string)
    expect(machine.data_volumes?.map(({ iqn }) => iqn)).toEqual(data)
    expect(await volume(blank)).toMatchObject({ status: 'in-use', size: 3 })
    await world.ask('DELETE', `/compute/v2.1/servers/${server}`)
    await world.tornDown(node)
    await site.answer()
    expect((await ask('GET', `/volumes/${blank}`)).status).toBe(404)
    expect(await volume(root)).toMatchObject({ status: 'available' })
  })

  it('of which a server ends but snapshots are kept are kept with these', async () => {
    const id = await madeVolume()
    await ask('POST', '/snapshots', { snapshot: { volume_id: id } })
    await site.answer()
    const device = { destination_type: 'volume', uuid: id, source_type: 'volume', delete_on_termination: true }
    const { server, node } = await running({ block_device_mapping_v2: [{ ...device, boot_index: -1 }] })
    await world.ask('DELETE', `/compute/v2.1/servers/${server}`)
    await world.tornDown(node)
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', attachments: [] })
  })

  it('are added and removed while the server is off, and told to the site when it starts', async () => {
    const id = await madeVolume()
    const { server, node } = await stopped()
    const { status, body } = await world.ask('POST', attachments(server), { volumeAttachment: { volumeId: id } })
    expect([status, body.volumeAttachment]).toEqual([
      200,
      expect.objectContaining({ volumeId: id, serverId: server, device: '/dev/sdb', delete_on_termination: false }),
    ])
    expect((await act(server, { 'os-start': null })).status).toBe(409)
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'in-use', attachments: [{ server_id: server, host_name: 'n1' }] })
    const log = (await world.ask('GET', `/compute/v2.1/servers/${server}/os-instance-actions`)).body.instanceActions
    expect(log[0]).toMatchObject({ action: 'attach_volume', message: null })

    await act(server, { 'os-start': null })
    const started = await planOf(node)
    expect(stepsOf(started)).toEqual(['boot.prepare_instance_volume', 'power.set_power_state'])
    expect(started.machine.data_volumes).toMatchObject([{ iqn: expect.stringContaining(id) }])
    await world.change(node, { power_state: 'power on', ...rested })
    const other = { volumeAttachment: { volumeId: await madeVolume() } }
    const live = await world.ask('POST', attachments(server), other)
    expect([live.status, live.body.conflictingRequest.message]).toEqual([409, expect.stringContaining('stop it first')])
    expect((await world.ask('DELETE', `${attachments(server)}/${id}`)).status).toBe(409)

    const kept = { volumeAttachment: { volumeId: id, delete_on_termination: true } }
    expect((await world.ask('PUT', `${attachments(server)}/${id}`, kept)).status).toBe(202)
    expect((await world.ask('PUT', `${attachments(server)}/${id}`, other)).status).toBe(409)
    expect((await world.ask('GET', attachments(server))).body.volumeAttachments[0].delete_on_termination).toBe(true)

    await act(server, { 'os-stop': null })
    await world.change(node, { power_state: 'power off', ...rested })
    expect((await world.ask('DELETE', `${attachments(server)}/${id}`)).status).toBe(202)
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available' })
    expect((await world.ask('GET', attachments(server))).body.volumeAttachments).toEqual([])
    expect((await world.ask('DELETE', `${attachments(server)}/${id}`)).status).toBe(404)
    await act(server, { 'os-start': null })
    expect(stepsOf(await planOf(node))).toEqual(['boot.prepare_instance', 'power.set_power_state'])
  })

  it('that can not be had leave the server as it was, and say why', async () => {
    const id = await madeVolume()
    const { server } = await stopped()
    await world.ask('POST', attachments(server), { volumeAttachment: { volumeId: id } })
    for (let turn = 0; turn < 3; turn += 1) await site.answer(turn === 0 ? 'the target is not there' : null)
    expect(await volume(id)).toMatchObject({ status: 'available', attachments: [] })
    expect(await of(server)).toMatchObject({ task: null, state: 'active', volumes: [] })
    const log = (await world.ask('GET', `/compute/v2.1/servers/${server}/os-instance-actions`)).body.instanceActions
    expect(log[0]).toMatchObject({ action: 'attach_volume', message: expect.stringContaining('is not there') })
  })

  it('come back when their node is taken away', async () => {
    const id = await madeVolume()
    const { server, node } = await stopped()
    await world.ask('POST', attachments(server), { volumeAttachment: { volumeId: id } })
    await site.answer()
    await world.tornDown(node)
    await site.answer()
    expect(await world.server(server)).toMatchObject({ status: 'ERROR' })
    expect(await volume(id)).toMatchObject({ status: 'available' })
    expect(await world.cloud.client.volumeTargets.list({ node })).toEqual([])
  })

  it('are refused where no machine could find them', async () => {
    const id = await madeVolume()
    const { server, node } = await stopped()
    const post = (volumeId = id) => world.ask('POST', attachments(server), { volumeAttachment: { volumeId } })
    const refusal = async (): Promise<string> => (await post()).body.conflictingRequest.message
    await world.change(node, { properties: { capabilities: 'iscsi_boot:true,boot_mode:uefi' } })
    expect(await refusal()).toContain('UEFI')
    await world.change(node, { properties: {} })
    expect(await refusal()).toContain('iscsi_boot:true')
    await world.change(node, { ...able, storage_interface: 'noop' })
    expect(await refusal()).toContain('storage interface noop')
    await world.change(node, able)
    expect((await post('00000009-0000-4000-8000-000000000001')).status).toBe(404)
    await VolumeSite.open(world.cloud, 'paris', 'box-3').then(async (paris) => {
      const { body } = await ask('POST', '/volumes', { volume: { size: 1, availability_zone: 'paris' } })
      await paris.answer()
      expect((await post(body.volume.id)).status).toBe(400)
    })
    expect((await post()).status).toBe(200)
    expect((await post()).status).toBe(409)
    await site.answer()
    const second = await post(await madeVolume({ availability_zone: 'berlin' }))
    expect(second.body.conflictingRequest.message).toContain('one volume at most')
  })
})
