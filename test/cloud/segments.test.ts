import { afterEach, beforeEach, expect, it } from 'vitest'
import { serverStore } from '../../lambdas/compute/store.ts'
import { portStore } from '../../lambdas/network/store.ts'
import { withSite } from './control-plane.ts'
import { InstanceWorld } from './instance-world.ts'

/** A network with a segment at each of two sites: addresses are of the site where the machine is. */

let world: InstanceWorld
let network: string
let away: string
let subnets: Record<'berlin' | 'paris', string>
beforeEach(async () => {
  world = await InstanceWorld.open()
  await withSite(world.cloud, 'paris', 'box-2')
  await world.flavor()
  const provider = {
    'provider:network_type': 'vlan',
    'provider:physical_network': 'berlin',
    'provider:segmentation_id': 7,
  }
  network = (await made('networks', { network: { name: 'blue', shared: true, ...provider } })).id
  away = (await made('segments', { segment: segment('paris', 9) })).id
  subnets = { berlin: await subnet('10.7.0.0/24', network), paris: await subnet('10.9.0.0/24', away) }
})
afterEach(() => world[Symbol.asyncDispose]())

const net = '/network/v2.0'
const made = (what: string, body: object) => world.made(`${net}/${what}`, body, world.admin)
const segment = (physical_network: string, segmentation_id: number) => ({
  network_id: network,
  network_type: 'vlan',
  physical_network,
  segmentation_id,
})
const subnet = async (cidr: string, segment_id?: string): Promise<string> =>
  (await made('subnets', { subnet: { network_id: network, ip_version: 4, cidr, segment_id } })).id
async function refused(method: string, path: string, body?: unknown, as = world.admin): Promise<string> {
  const reply = await world.ask(method, `${net}${path}`, body, as)
  return `${reply.status} ${reply.body?.NeutronError?.message}`
}
const portOf = async (id: string) => {
  const { table } = world.cloud.platform
  const server = await serverStore.get(table, id)
  return portStore.get(table, server?.nics[0]?.port ?? '')
}
const ips = async (id: string) => (await portOf(id))?.fixed_ips.map(({ ip_address }) => ip_address)

it("a server's port has an address of the segment of the site that it came to, and gives it back with its node", async () => {
  const [home, abroad] = [await world.node('n1'), await world.node('n2', { conductor_group: 'paris' })]
  const server = { networks: [{ uuid: network }] }
  const there = await world.asked({ ...server, availability_zone: 'paris' })
  const here = await world.asked(server)
  expect(await ips(there)).toEqual([expect.stringMatching(/^10\.9\.0\./)])
  expect(await ips(here)).toEqual([expect.stringMatching(/^10\.7\.0\./)])
  expect([(await portOf(there))?.bound?.node, (await portOf(here))?.bound?.node]).toEqual([abroad, home])
  await world.deployed(abroad)
  await world.ask('DELETE', `/compute/v2.1/servers/${there}`)
  await world.tornDown(abroad)
  const left = await world.ask('GET', `${net}/ports?network_id=${network}`, undefined, world.admin)
  expect(left.body.ports).toHaveLength(1)
})

it("a port that is nobody's yet has none, one that chose its address goes to that site only, and a site without a segment is passed over", async () => {
  const [port, chosen] = [
    await made('ports', { port: { network_id: network } }),
    await world.made(`${net}/ports`, { port: { network_id: network, fixed_ips: [{ subnet_id: subnets.paris }] } }),
  ]
  expect([port.fixed_ips, port.ip_allocation]).toEqual([[], 'deferred'])
  expect(chosen.fixed_ips[0].ip_address).toMatch(/^10\.9\.0\./)
  await world.node('n1')
  const id = await world.asked({ networks: [{ port: chosen.id }] })
  expect((await world.server(id)).fault.message).toContain('1 not at a site of its networks')
  await withSite(world.cloud, 'rome', 'box-3')
  await world.node('n3', { conductor_group: 'rome' })
  await world.asked({ networks: [{ uuid: network }] })
  const none = await world.asked({ networks: [{ uuid: network }] })
  expect((await world.server(none)).fault.message).toContain('not at a site of its networks')
})

it('where its card can reach no segment, an attachment says so', async () => {
  const node = await world.node('n1', { network_interface: 'flat', conductor_group: 'rome' })
  const port = await world.made(`${net}/ports`, { port: { network_id: network } })
  const tried = world.cloud.client.nodes.attachVif(node, { id: port.id })
  await expect(tried).rejects.toThrow(/has no segment at site rome/)
})

it('segments are listed, named and deleted, and refused where they are in use, double, of no use, or asked for by others', async () => {
  const list = async (query = '') =>
    (await world.ask('GET', `${net}/segments${query}`, undefined, world.admin)).body.segments
  expect(
    (await list(`?network_id=${network}`)).map((each: { segmentation_id: number }) => each.segmentation_id),
  ).toEqual([7, 9])
  await world.ask('PUT', `${net}/segments/${away}`, { segment: { name: 'far' } }, world.admin)
  await world.ask('PUT', `${net}/segments/${network}`, { segment: { name: 'near' } }, world.admin)
  expect((await list()).map((each: { name: string }) => each.name)).toEqual(['near', 'far'])
  expect((await world.ask('GET', `${net}/segments/${network}`, undefined, world.admin)).body.segment.name).toBe('near')
  expect(await refused('DELETE', `/segments/${away}`)).toMatch(/^409 .*still associated with subnet/)
  expect(await refused('POST', '/segments', { segment: segment('paris', 11) })).toMatch(/^409 .*already/)
  expect(await refused('POST', '/segments', { segment: segment('rome', 11) }, world.token)).toMatch(/^403/)
  const overlay = { ...segment('rome', 11), network_type: 'vxlan' }
  expect(await refused('POST', '/segments', { segment: overlay })).toMatch(/^400 .*bare metal/)
  const loose = { network_id: network, ip_version: 4, cidr: '10.11.0.0/24' }
  expect(await refused('POST', '/subnets', { subnet: loose })).toMatch(/^400 .*must either all be associated/)
  expect(await refused('DELETE', `/segments/${network}`)).toMatch(/^409/)
  await world.ask('DELETE', `${net}/subnets/${subnets.paris}`, undefined, world.admin)
  expect((await world.ask('DELETE', `${net}/segments/${away}`, undefined, world.admin)).status).toBe(204)
  expect(await list()).toHaveLength(1)
})

it('of fifty who take addresses of one segment at once, no two have the same', async () => {
  const fixed_ips = [{ subnet_id: subnets.paris }]
  const ports = await Promise.all(
    Array.from({ length: 50 }, () => made('ports', { port: { network_id: network, fixed_ips } })),
  )
  expect(new Set(ports.map((each) => each.fixed_ips[0].ip_address)).size).toBe(50)
})
