import { afterEach, beforeEach, expect, it } from 'vitest'
import { stepName } from '../../contract/plan.ts'
import { configDrive } from '../../lambdas/compute/spawn.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { appliancesOf } from '../../lambdas/store/appliances.ts'
import { portsOf } from '../../lambdas/store/ports.ts'
import { commandsTo } from './control-plane.ts'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
let native: string
let storage: string
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
  native = await vlan('blue', 42)
  storage = await vlan('storage', 50)
})
afterEach(() => world[Symbol.asyncDispose]())

const net = '/network/v2.0'
async function vlan(name: string, id: number, on = 'rack'): Promise<string> {
  const provider = { 'provider:network_type': 'vlan', 'provider:physical_network': on, 'provider:segmentation_id': id }
  const { id: uuid } = await world.made(
    `${net}/networks`,
    { network: { name, shared: true, ...provider } },
    world.admin,
  )
  const subnet = { network_id: uuid, ip_version: 4, cidr: `10.${id}.0.0/24` }
  await world.made(`${net}/subnets`, { subnet }, world.admin)
  return String(uuid)
}
const port = async (network_id: string) => (await world.made(`${net}/ports`, { port: { network_id } })).id as string
const shown = async (id: string) => (await world.ask('GET', `${net}/ports/${id}`, undefined, world.admin)).body.port
const trunkOf = async (port_id: string, ...subs: string[]) =>
  world.made(`${net}/trunks`, {
    trunk: { name: 't', port_id, sub_ports: subs.map((each) => ({ port_id: each, segmentation_type: 'inherit' })) },
  })
async function refused(method: string, path: string, body?: unknown): Promise<string> {
  const reply = await world.ask(method, `${net}${path}`, body)
  return `${reply.status} ${reply.body?.NeutronError?.message}`
}

async function plugs(node: string): Promise<unknown[]> {
  const [appliance] = await appliancesOf(world.cloud.platform.table, 'berlin')
  const runs = commandsTo(world.cloud, appliance?.uuid ?? '').filter(
    (each) => each.kind === 'run' && each.node === node,
  )
  const last = runs.at(-1)
  if (last?.kind !== 'run' || !('steps' in last.plan)) throw new Error('no plan was sent')
  return last.plan.steps.filter(({ interface: kind }) => kind === 'network').map((each) => [stepName(each), each.args])
}

it("of a server's port gives its machine the subports' VLANs on the same card: in its config drive, by DHCP and at the switch", async () => {
  const [parent, sub] = [await port(native), await port(storage)]
  const trunk = await trunkOf(parent, sub)
  expect(trunk).toMatchObject({ status: 'DOWN', sub_ports: [{ port_id: sub, segmentation_id: 50 }] })
  expect((await shown(parent)).trunk_details).toMatchObject({ trunk_id: trunk.id, sub_ports: [{ port_id: sub }] })
  const site = await vlan('provisioning', 10)
  const node = await world.node('n1', { network_interface: 'neutron', provision_state: 'manageable' })
  const { ports, nodes } = world.cloud.client
  const [card] = await portsOf(world.cloud.platform.table, node)
  const value = { switch_id: '52:54:00:99:00:01', port_id: 'swp1', switch_info: 'tor-1' }
  await ports.patch(card?.uuid ?? '', [{ op: 'replace', path: '/local_link_connection', value }])
  await nodes.patch(node, [{ op: 'add', path: '/driver_info/provisioning_network', value: site }])
  await world.change(node, { provision_state: 'available' })
  const id = await world.asked({ networks: [{ port: parent }] })

  const bound = await shown(sub)
  expect(bound).toMatchObject({ status: 'ACTIVE', 'binding:host_id': node, device_owner: 'trunk:subport' })
  const at = { switch: 'tor-1', port: 'swp1' }
  expect(await plugs(node)).toEqual([
    ['network.plug', { connections: [{ ...at, vlan: 10 }] }],
    ['network.plug_trunk', { connections: [{ ...at, vlan: 42, tagged: [50] }] }],
  ])
  const { table } = world.cloud.platform
  const server = await serverStore.get(table, id)
  const drive = server && (await configDrive(world.cloud.platform, server))
  const [{ ip_address }] = bound.fixed_ips
  expect(drive?.network_data).toMatchObject({
    links: [
      { id: 'interface0', type: 'phy', ethernet_mac_address: card?.address },
      { type: 'vlan', vlan_link: 'interface0', vlan_id: 50, vlan_mac_address: bound.mac_address, vif_id: sub },
    ],
    networks: [
      { link: 'interface0', ip_address: expect.stringMatching(/^10\.42\./), routes: [{ gateway: '10.42.0.1' }] },
      { link: 'interface0-vlan50', ip_address, netmask: '255.255.255.0', routes: [] },
    ],
  })
  const [appliance] = await appliancesOf(table, 'berlin')
  const told = commandsTo(world.cloud, appliance?.uuid ?? '').flatMap((each) =>
    each.kind === 'tenant_port' && each.wanted ? [each.wanted] : [],
  )
  expect(told.find(({ mac }) => mac === bound.mac_address)).toMatchObject({
    node,
    addresses: [{ address: ip_address }],
  })

  expect(await refused('DELETE', `/trunks/${trunk.id}`)).toMatch(/^409 .*in use/)
  const later = { sub_ports: [{ port_id: sub }] }
  expect(await refused('PUT', `/trunks/${trunk.id}/remove_subports`, later)).toMatch(/^409 .*detach port/)
  await world.deployed(node)
  await world.ask('DELETE', `/compute/v2.1/servers/${id}`)
  await world.tornDown(node)
  expect([(await shown(sub)).status, (await shown(parent)).status]).toEqual(['DOWN', 'DOWN'])
  expect((await world.ask('DELETE', `${net}/trunks/${trunk.id}`)).status).toBe(204)
  expect((await shown(sub)).device_owner).toBe('')
  expect((await world.ask('DELETE', `${net}/ports/${sub}`)).status).toBe(204)
})

it('takes no port that is in another, in use, of the same VLAN or of a network that no tag reaches, and none leaves the table while in it', async () => {
  const [parent, sub, other] = [await port(native), await port(storage), await port(storage)]
  const trunk = await trunkOf(parent, sub)
  const add = (port_id: string, more: object = {}) =>
    refused('PUT', `/trunks/${trunk.id}/add_subports`, { sub_ports: [{ port_id, ...more }] })
  expect(await refused('POST', '/trunks', { trunk: { port_id: parent } })).toMatch(/^409 .*a parent port for trunk/)
  expect(await refused('POST', '/trunks', { trunk: { port_id: sub } })).toMatch(/^409 .*a subport for trunk/)
  expect(await add(sub)).toMatch(/^409 .*a subport for trunk/)
  expect(await add(other)).toMatch(/^409 .*segmentation_id 50 already in use/)
  expect(await add(parent)).toMatch(/^400 .*parent/)
  expect(await add(await port(await vlan('far', 60, 'elsewhere')))).toMatch(/^400 .*physical network elsewhere/)
  expect(await add(await port(await world.network('10.0.9.0/24')))).toMatch(/^400 .*flat/)
  expect(await add(await port(await vlan('near', 61)), { segmentation_id: 7 })).toMatch(/^400 .*translates/)
  expect(await refused('DELETE', `/ports/${sub}`)).toMatch(/^409 .*a subport for trunk/)
  expect(await refused('DELETE', `/ports/${parent}`)).toMatch(/^409 .*a parent port for trunk/)
  const removal = { sub_ports: [{ port_id: sub }] }
  expect((await world.ask('PUT', `${net}/trunks/${trunk.id}/remove_subports`, removal)).body.sub_ports).toEqual([])
  expect(await refused('PUT', `/trunks/${trunk.id}/remove_subports`, removal)).toMatch(/^404/)
  expect((await world.ask('PUT', `${net}/trunks/${trunk.id}`, { trunk: { name: 'u' } })).body.trunk.name).toBe('u')
  expect((await world.ask('GET', `${net}/trunks?name=u`)).body.trunks).toMatchObject([{ id: trunk.id }])
  await world.ask('PUT', `${net}/trunks/${trunk.id}/add_subports`, { sub_ports: [{ port_id: other }] })
  expect((await world.ask('GET', `${net}/trunks/${trunk.id}/get_subports`)).body).toEqual({
    sub_ports: [{ port_id: other, segmentation_type: 'vlan', segmentation_id: 50 }],
  })
})

it('added to by fifty at once has each port once, and each VLAN once', async () => {
  const trunk = await trunkOf(await port(native))
  const subs = await Promise.all(Array.from({ length: 4 }, () => port(storage)))
  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      world.ask('PUT', `${net}/trunks/${trunk.id}/add_subports`, { sub_ports: [{ port_id: subs[at % 4] }] }),
    ),
  )
  const won = replies.filter(({ status }) => status === 200)
  expect(won).toHaveLength(1)
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 409]))
  const owners = await Promise.all(subs.map(async (each) => (await shown(each)).device_owner))
  expect(owners.filter((each) => each === 'trunk:subport')).toHaveLength(1)
})
