import { afterAll, beforeAll, expect, it } from 'vitest'
import { imageItem } from '../../lambdas/store/images.ts'
import { InstanceWorld } from './instance-world.ts'

/** What one project can do to another, by the instance services: nothing. */

let world: InstanceWorld
let theirs: string
let shared: string
const servers = '/compute/v2.1/servers'
const ports = '/network/v2.0/ports'
const stored = {
  state: 'active' as const,
  size: 1024,
  disk_format: 'raw' as const,
  os_hash_algo: 'sha256' as const,
  os_hash_value: 'a'.repeat(64),
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: null,
  version: 1,
}
const image = { name: 'secret', disk_format: 'raw', container_format: 'bare' }
beforeAll(async () => {
  world = await InstanceWorld.open()
  theirs = (await world.stone.member('others', 'member')).token
  await world.flavor()
  const network = { network: { name: 'shared', shared: true } }
  shared = (await world.made('/network/v2.0/networks', network, world.admin)).id
  const subnet = { network_id: shared, ip_version: 4, cidr: '10.7.0.0/24' }
  await world.made('/network/v2.0/subnets', { subnet }, world.admin)
})
afterAll(() => world[Symbol.asyncDispose]())

const asThem = (method: string, path: string, body?: unknown) => world.ask(method, path, body, theirs)

it('takes no address of its choice on a network that others share with it', async () => {
  const refused: object[] = [
    { mac_address: '52:54:00:00:00:01' },
    { fixed_ips: [{ ip_address: '10.7.0.1' }] },
    { device_owner: 'network:dhcp' },
  ]
  for (const choice of refused)
    expect((await asThem('POST', ports, { port: { network_id: shared, ...choice } })).status).toBe(403)
  const { id } = await world.made(ports, { port: { network_id: shared } }, theirs)
  expect((await asThem('PUT', `${ports}/${id}`, { port: { mac_address: '52:54:00:00:00:02' } })).status).toBe(403)
  const fixed = {
    name: 'x',
    imageRef: world.image,
    flavorRef: 'm1',
    networks: [{ uuid: shared, fixed_ip: '10.7.0.9' }],
  }
  expect((await asThem('POST', servers, { server: fixed })).status).toBe(403)
  expect((await asThem('DELETE', `${ports}/${id}`)).status).toBe(204)
})

it('puts nothing on an external network that is not shared', async () => {
  const network = { network: { name: 'outside', 'router:external': true } }
  const { id } = await world.made('/network/v2.0/networks', network, world.admin)
  expect((await asThem('POST', ports, { port: { network_id: id } })).status).toBe(403)
  const outside = { name: 'x', imageRef: world.image, flavorRef: 'm1', networks: [{ uuid: id }] }
  expect((await asThem('POST', servers, { server: outside })).status).toBe(403)
})

it('has its port shown at no server of others; and a bound port stays the port of its server', async () => {
  const node = await world.node('n1')
  const id = await world.asked({ networks: [{ uuid: shared }] })
  await world.deployed(node)
  const own = (await world.server(id)).addresses
  expect(own.shared).toHaveLength(1)
  const { id: stray } = await world.made(ports, { port: { network_id: shared, device_id: id } }, theirs)
  expect((await world.server(id)).addresses).toEqual(own)
  const listed = await world.ask('GET', `${servers}/${id}/os-interface`)
  expect(listed.body.interfaceAttachments).toHaveLength(1)
  await asThem('DELETE', `${ports}/${stray}`)

  const [{ port_id: bound }] = listed.body.interfaceAttachments
  expect((await world.ask('PUT', `${ports}/${bound}`, { port: { device_id: '' } })).status).toBe(409)

  // Torn down beneath it, and another's by now, before its own change has been told to it.
  await world.change(node, { instance_uuid: null })
  for (const action of [{ 'os-stop': null }, { 'os-getConsoleOutput': {} }, { reboot: { type: 'HARD' } }])
    expect((await world.ask('POST', `${servers}/${id}/action`, action)).status).toBe(409)
})

it('makes no volume of an image that is not theirs', async () => {
  const { id } = (await world.ask('POST', '/image/v2/images', image)).body
  const disk = { boot_index: 0, uuid: id, source_type: 'image', destination_type: 'volume', volume_size: 1 }
  const server = { name: 'x', flavorRef: 'm1', networks: 'none', block_device_mapping_v2: [disk] }
  const { status, body } = await asThem('POST', servers, { server })
  expect([status, body.badRequest?.message]).toEqual([400, expect.stringContaining('can not find requested image')])
})

it('knows of no volume of others', async () => {
  const { id } = await world.made('/volume/v3/volumes', { volume: { size: 1 } })
  expect((await asThem('DELETE', `/volume/v3/volumes/${id}`)).status).toBe(404)
})

it('learns of nothing of others by naming it as the last of the page before', async () => {
  const { id: volume } = await world.made('/volume/v3/volumes', { volume: { size: 1 } })
  const { id: network } = await world.made('/network/v2.0/networks', { network: { name: 'hidden' } })
  const { id: port } = await world.made(ports, { port: { network_id: network } })
  const server = await world.asked({ networks: 'none' })
  for (const path of [
    `/volume/v3/volumes?marker=${volume}`,
    `/network/v2.0/networks?marker=${network}`,
    `${ports}?marker=${port}`,
    `${servers}?marker=${server}`,
  ]) {
    expect([path, (await world.ask('GET', path)).status]).toEqual([path, 200])
    expect([path, (await asThem('GET', path)).status]).toEqual([path, 400])
  }
  await world.ask('DELETE', `${ports}/${port}`)
  await world.ask('DELETE', `/network/v2.0/networks/${network}`)
})

it('has lists of its own, however much others have; who oversees all has those of all, or of one', async () => {
  const { project } = await world.stone.member('others', 'member')
  const { id: own } = await world.made(ports, { port: { network_id: shared } }, theirs)
  const { id: tenants } = await world.made(ports, { port: { network_id: shared } })
  const listed = async (as: string, query = '') =>
    ((await world.ask('GET', ports + query, undefined, as)).body.ports as { id: string }[]).map(({ id }) => id)
  expect(await listed(theirs)).toEqual([own])
  expect(await listed(theirs, `?device_id=&device_id=x`)).toEqual([own])
  expect(await listed(world.admin)).toEqual(expect.arrayContaining([own, tenants]))
  expect(await listed(world.admin, `?project_id=${project}`)).toEqual([own])
  for (const [id, as] of [
    [own, theirs],
    [tenants, world.token],
  ])
    await world.ask('DELETE', `${ports}/${id}`, undefined, as)
})

it('an administrator who names no network gets none of others that is not shared', async () => {
  const admins = await world.stone.member('admins-too', 'admin')
  const { id } = await world.made('/network/v2.0/networks', { network: { name: 'private' } })
  const server = { name: 'x', imageRef: world.image, flavorRef: 'm1' }
  const made = await world.made(servers, { server }, admins.token)
  const of = (await world.ask('GET', `${ports}?device_id=${made.id}`, undefined, admins.token)).body.ports
  expect(of.every((each: { network_id: string }) => each.network_id === shared)).toBe(true)
  await world.ask('DELETE', `${servers}/${made.id}`, undefined, admins.token)
  await world.ask('DELETE', `/network/v2.0/networks/${id}`)
})

it('fills no table with metadata', async () => {
  const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, 'v']))
  const more = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`l${at}`, 'v']))
  const id = await world.asked({ metadata, networks: 'none' })
  const { status } = await world.ask('POST', `${servers}/${id}/metadata`, { metadata: more })
  expect(status).toBe(400)
  expect((await world.ask('PUT', `${servers}/${id}/metadata/k1`, { meta: { k1: 'new' } })).body.meta).toEqual({
    k1: 'new',
  })
  expect((await world.ask('GET', `${servers}/${id}/metadata/k1`)).body.meta).toEqual({ k1: 'new' })
})

it('has a node on lease, and gets neither to a port nor to an image of others with it', async () => {
  const { stone, image: everybodys } = world
  const lessee = await stone.member('lessees', 'manager')
  const node = await world.node('leased', { lessee: lessee.project, network_interface: 'flat' })
  const { id: port } = await world.made(ports, { port: { network_id: shared } })
  const { id: hidden } = (await world.ask('POST', '/image/v2/images', image)).body
  const about = (await stone.baremetal('POST', `/v1/nodes/${node}/vifs`, lessee.token, { id: port })).body
  expect(JSON.stringify(about)).toContain(`Port ${port} could not be found`)
  const own = { port: { network_id: shared, project_id: lessee.project } }
  const { id: mine } = await world.made(ports, own, world.admin)
  expect((await stone.baremetal('POST', `/v1/nodes/${node}/vifs`, lessee.token, { id: mine })).status).toBe(204)

  await world.cloud.platform.table.write([{ put: imageItem({ ...stored, uuid: hidden, name: hidden }) }])
  const deploy = async (source: string) => {
    const value = { image_source: source }
    await stone.baremetal('PATCH', `/v1/nodes/${node}`, lessee.token, [{ op: 'add', path: '/instance_info', value }])
    return stone.baremetal('PUT', `/v1/nodes/${node}/states/provision`, lessee.token, { target: 'active' })
  }
  const refused = await deploy(hidden)
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([404, expect.stringContaining(`Image ${hidden}`)])
  expect((await deploy(everybodys)).status).toBe(202)
})
