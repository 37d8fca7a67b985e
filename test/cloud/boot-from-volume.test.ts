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

const bootable = { storage_interface: 'cinder', properties: { capabilities: 'iscsi_boot:true' } }
const ask = (method: string, path: string, body?: unknown) =>
  world.ask(method, `/volume/v3${path}`, body, world.token, 'volume 3.59')
const volume = async (id: string) => (await ask('GET', `/volumes/${id}`)).body.volume
async function madeVolume(): Promise<string> {
  const { body } = await ask('POST', '/volumes', { volume: { size: 5, imageRef: world.image } })
  await site.answer()
  return body.volume.id
}
const bootsFrom = (uuid: string, more: object = {}) => ({
  imageRef: undefined,
  networks: 'none',
  block_device_mapping_v2: [{ uuid, source_type: 'volume', destination_type: 'volume', boot_index: 0, ...more }],
})
const of = async (id: string): Promise<Server> => (await serverStore.get(world.cloud.platform.table, id))!
/** Whichever of the site's appliances got it. */
async function planOf(node: string): Promise<Plan> {
  const appliances = await appliancesOf(world.cloud.platform.table, 'berlin')
  const runs = appliances.flatMap(({ uuid }) => commandsTo(world.cloud, uuid)).filter(({ kind }) => kind === 'run')
  const plan = (runs.filter((each) => each.node === node).at(-1) as { plan: Plan } | undefined)?.plan
  if (!plan) throw new Error(`no plan was sent for ${node}`)
  return plan
}

describe('a server that boots from a volume', () => {
  it('has the volume exported to its node, and boots from it with a secret that only the site can read', async () => {
    const node = await world.node('n1', bootable)
    await world.node('n2')
    const id = await madeVolume()
    const server = await world.asked(bootsFrom(id))
    expect(await world.server(server)).toMatchObject({
      status: 'BUILD',
      image: '',
      'OS-EXT-STS:task_state': 'block_device_mapping',
    })
    expect(await volume(id)).toMatchObject({ status: 'attaching' })
    await site.answer()

    const plan = await planOf(node)
    const steps = plan.steps.map(({ interface: kind, step }) => `${kind}.${step}`)
    expect(steps).toEqual(['power.power_off', 'boot.prepare_instance_volume', 'deploy.boot_instance'])
    const [exported] = site.told(id)?.wanted?.exports ?? []
    const chap = plan.machine.boot_volume?.chap
    if (!exported || !chap) throw new Error('there is no secret')
    expect(plan.machine.boot_volume).toMatchObject({ initiator: exported.initiator, portal: '10.20.0.1:3260', lun: 1 })
    expect(exported.initiator).toBe(`iqn.2010-10.org.openstack:node-${node}`)
    const secret = open(chap.secret, chap.bind, site.uuid, site.key.privateKey)
    expect(open(exported.secret, `${id}/${exported.attachment}`, site.uuid, site.key.privateKey)).toBe(secret)

    await world.deployed(node)
    expect(await world.server(server)).toMatchObject({
      status: 'ACTIVE',
      'os-extended-volumes:volumes_attached': [{ id, delete_on_termination: false }],
    })
    expect(await volume(id)).toMatchObject({ status: 'in-use', attachments: [{ server_id: server, host_name: 'n1' }] })
    expect((await ask('DELETE', `/volumes/${id}`)).status).toBe(400)
    const listed = `/compute/v2.1/servers/${server}/os-volume_attachments`
    expect((await world.ask('GET', listed)).body.volumeAttachments).toMatchObject([{ volumeId: id, serverId: server }])
    expect((await world.ask('DELETE', `${listed}/${id}`)).body.badRequest.message).toMatch(/root device/)
    const targets = await world.cloud.client.volumeTargets.list({ node })
    expect(targets).toMatchObject([{ volume_id: id, boot_index: 0 }])
    expect(JSON.stringify(targets)).not.toContain('$sealed')

    await world.ask('DELETE', `/compute/v2.1/servers/${server}`)
    await world.tornDown(node)
    await site.answer()
    expect(await volume(id)).toMatchObject({ status: 'available', attachments: [] })
    expect(await world.cloud.client.volumeTargets.list({ node })).toEqual([])
  })

  it('has one made of an image where its node is, and takes it along when it goes', async () => {
    const node = await world.node('n1', bootable)
    const mapping = { source_type: 'image', volume_size: 7, delete_on_termination: true }
    const server = await world.asked(bootsFrom(world.image, mapping))
    const { volumes } = await of(server)
    const id = volumes?.[0]?.volume ?? ''
    expect(site.told(id)?.wanted).toMatchObject({ gib: 7, source: { kind: 'image' }, exports: [] })
    await site.answer()
    await site.answer()
    expect((await planOf(node)).machine.boot_volume?.iqn).toContain(id)
    await world.deployed(node)
    expect(await volume(id)).toMatchObject({ status: 'in-use', availability_zone: 'berlin', bootable: 'true' })
    await world.ask('DELETE', `/compute/v2.1/servers/${server}`)
    await world.tornDown(node)
    expect((await world.ask('GET', `/compute/v2.1/servers/${server}`)).status).toBe(404)
    await site.answer()
    expect((await ask('GET', `/volumes/${id}`)).status).toBe(404)
  })

  it('that fails gives the volume back, and takes it to the next node', async () => {
    const nodes = [await world.node('n1', bootable), await world.node('n2', bootable)]
    const id = await madeVolume()
    const server = await world.asked(bootsFrom(id))
    await site.answer()
    const first = (await of(server)).node ?? ''
    await world.change(first, { provision_state: 'deploy failed', operation: null, last_error: 'no disk' })
    await world.tornDown(first)
    expect(await world.cloud.client.volumeTargets.list({ node: first })).toEqual([])
    for (let turn = 0; turn < 4; turn += 1) await site.answer()
    const second = (await of(server)).node ?? ''
    expect([first, second].toSorted()).toEqual(nodes.toSorted())
    await world.deployed(second)
    expect(await world.server(server)).toMatchObject({ status: 'ACTIVE' })
    expect(await volume(id)).toMatchObject({
      status: 'in-use',
      attachments: [{ host_name: (await world.get(second)).name }],
    })
  })

  it('is only put where machines boot by iSCSI, and says so', async () => {
    await world.node('n1')
    const id = await madeVolume()
    const server = await world.asked(bootsFrom(id))
    const { fault, status } = await world.server(server)
    expect(status).toBe('ERROR')
    expect(fault.message).toContain('with the capabilities')
    expect(await volume(id)).toMatchObject({ status: 'available' })
  })

  it('whose volume can not be made fails with what the site said', async () => {
    await world.node('n1', bootable)
    const server = await world.asked(bootsFrom(world.image, { source_type: 'image', volume_size: 7 }))
    for (let turn = 0; turn < 4; turn += 1) await site.answer('the disk is full')
    const { fault, status } = await world.server(server)
    expect(status).toBe('ERROR')
    expect(fault.message).toContain('the disk is full')
  })

  it('is not rebuilt: its volume is made of an image once', async () => {
    const node = await world.node('n1', bootable)
    const id = await madeVolume()
    const server = await world.asked(bootsFrom(id))
    await site.answer()
    await world.deployed(node)
    const rebuild = { rebuild: { imageRef: world.image } }
    const refused = await world.ask('POST', `/compute/v2.1/servers/${server}/action`, rebuild)
    expect(refused.status).toBe(400)
    expect(refused.body.badRequest.message).toContain('volume-backed')
    expect(await world.get(node)).toMatchObject({ provision_state: 'active' })
    expect((await world.get(node)).instance_info).not.toHaveProperty('image_source')
  })

  it('is refused what makes no sense', async () => {
    const id = await madeVolume()
    const body = (more: object) => ({ server: { name: 'x', flavorRef: 'm1', ...bootsFrom(id), ...more } })
    const post = async (more: object) => (await world.ask('POST', '/compute/v2.1/servers', body(more))).status
    expect(await post({ min_count: 2 })).toBe(400)
    expect(await post(bootsFrom('00000009-0000-4000-8000-000000000001'))).toBe(404)
    expect(await post(bootsFrom(world.image, { source_type: 'image' }))).toBe(400)
    await ask('POST', `/volumes/${id}/action`, { 'os-set_bootable': { bootable: false } })
    expect(await post({})).toBe(400)
  })
})

describe('a node with storage interface external', () => {
  it('boots from targets that people named, by their secret, and nobody exports anything', async () => {
    const node = await world.node('n1', { ...bootable, storage_interface: 'external' })
    const { volumeConnectors, volumeTargets, nodes } = world.cloud.client
    const initiator = 'iqn.2026-11.org.example:n1'
    await volumeConnectors.create({ node_uuid: node, type: 'iqn', connector_id: initiator })
    const at = { target_iqn: 'iqn.2001-04.com.example:disk.1', target_portal: 'san.example:3260', target_lun: 3 }
    const chap = { auth_method: 'CHAP', auth_username: 'n1', auth_password: 'only-for-n1' }
    const target = { node_uuid: node, volume_type: 'iscsi', volume_id: 'disk-1', boot_index: 0 }
    const made = await volumeTargets.create({ ...target, properties: { ...at, ...chap } })
    expect(JSON.stringify(made)).not.toContain('only-for-n1')
    await nodes.provision(node, 'active')
    await world.cloud.settle()
    const plan = await planOf(node)
    expect(plan.steps.map(({ interface: kind, step }) => `${kind}.${step}`)).toContain('boot.prepare_instance_volume')
    const volume = plan.machine.boot_volume
    expect(volume).toMatchObject({ initiator, iqn: at.target_iqn, portal: at.target_portal, lun: 3 })
    if (!volume?.chap) throw new Error('there is no secret')
    expect(open(volume.chap.secret, volume.chap.bind, site.uuid, site.key.privateKey)).toBe('only-for-n1')
    const appliances = await appliancesOf(world.cloud.platform.table, 'berlin')
    expect(appliances.flatMap(({ uuid }) => commandsTo(world.cloud, uuid)).map(({ kind }) => kind)).not.toContain(
      'volume',
    )
    await world.deployed(node)
    await expect(volumeTargets.delete(made.uuid)).rejects.toThrow(/power/i)
  })
})
