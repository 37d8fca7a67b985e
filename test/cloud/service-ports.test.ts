import { afterEach, beforeEach, expect, it } from 'vitest'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { appliancesOf } from '../../lambdas/store/appliances.ts'
import { portsOf } from '../../lambdas/store/ports.ts'
import { commandsTo } from './control-plane.ts'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterEach(() => world[Symbol.asyncDispose]())

const net = '/network/v2.0'
async function vlan(name: string, id: number): Promise<string> {
  const provider = {
    'provider:network_type': 'vlan',
    'provider:physical_network': 'rack',
    'provider:segmentation_id': id,
  }
  const { id: uuid } = await world.made(
    `${net}/networks`,
    { network: { name, shared: true, ...provider } },
    world.admin,
  )
  await world.made(
    `${net}/subnets`,
    { subnet: { network_id: uuid, ip_version: 4, cidr: `10.${id}.0.0/24` } },
    world.admin,
  )
  return String(uuid)
}
const portsOn = async (network: string) =>
  (await world.ask('GET', `${net}/ports?network_id=${network}`, undefined, world.admin)).body.ports
const card = async (node: string) => (await portsOf(world.cloud.platform.table, node))[0]!
async function wired(name: string, network_interface: string, info: Record<string, string>): Promise<string> {
  const node = await world.node(name, { network_interface, provision_state: 'manageable' })
  const value = { switch_id: '52:54:00:99:00:01', port_id: `swp-${name}`, switch_info: 'tor-1' }
  const { ports, nodes } = world.cloud.client
  await ports.patch((await card(node)).uuid, [{ op: 'replace', path: '/local_link_connection', value }])
  for (const [key, named] of Object.entries(info))
    await nodes.patch(node, [{ op: 'add', path: `/driver_info/${key}`, value: named }])
  return node
}
/** What the newest plan says that its cards have. */
async function addresses(node: string): Promise<unknown> {
  const [appliance] = await appliancesOf(world.cloud.platform.table, 'berlin')
  const runs = commandsTo(world.cloud, appliance?.uuid ?? '').filter(
    (each) => each.kind === 'run' && each.node === node,
  )
  const last = runs.at(-1)
  return last?.kind === 'run' && 'machine' in last.plan ? last.plan.machine.addresses : 'no plan'
}

it('while a server is deployed its cards have ports of the provisioning network, whose address the ramdisk gets, and then none', async () => {
  const [site, tenant] = [await vlan('prov', 10), await vlan('blue', 42)]
  const node = await wired('n1', 'neutron', { provisioning_network: 'prov' })
  await world.change(node, { provision_state: 'available' })
  await world.asked({ networks: [{ uuid: tenant }] })
  const [port] = await portsOn(site)
  const { address, internal_info } = await card(node)
  expect(port).toMatchObject({
    mac_address: address,
    status: 'ACTIVE',
    device_id: node,
    device_owner: 'baremetal:none',
    'binding:host_id': node,
    'binding:profile': { local_link_information: [{ switch_info: 'tor-1' }] },
  })
  expect(internal_info).toMatchObject({ provisioning_vif_port_id: port.id, tenant_vif_port_id: expect.any(String) })
  expect(await addresses(node)).toEqual({ [address]: port.fixed_ips[0].ip_address })
  expect((await world.ask('DELETE', `${net}/ports/${port.id}`, undefined, world.admin)).status).toBe(409)
  await world.deployed(node)
  expect(await portsOn(site)).toEqual([])
  expect(Object.keys((await card(node)).internal_info)).toEqual(['tenant_vif_port_id'])
})

it('of flat, cleaning has ports where its network is named and deploying has none; on the network of its tenant the card has one port', async () => {
  const network = await world.network()
  const node = await wired('n1', 'flat', { cleaning_network: network })
  await world.cloud.client.nodes.provision(node, 'provide')
  await world.cloud.settle()
  expect(await portsOn(network)).toMatchObject([{ device_id: node }])
  await changeNode(world.cloud.platform, node, (before) => ({
    node: { ...before, provision_state: 'available', target_provision_state: null, operation: null },
  }))
  await world.cloud.settle()
  expect(await portsOn(network)).toEqual([])
  const id = await world.asked()
  expect(await portsOn(network)).toMatchObject([{ device_id: id }])
  expect(await addresses(node)).toBeUndefined()
  await world.deployed(node)
  await world.ask('DELETE', `/compute/v2.1/servers/${id}`)
  await world.tornDown(node)
  expect(await portsOn(network)).toEqual([])
})

it('a plan that can not be made leaves none behind, and validate said why', async () => {
  const { nodes } = world.cloud.client
  const node = await wired('n1', 'neutron', { provisioning_network: 'nowhere' })
  const reason = async () => (await nodes.validate(node))['network']
  expect(await reason()).toEqual({
    result: false,
    reason: 'The cleaning network with name or UUID "nowhere" was not found.',
  })
  const flat = await world.network()
  await nodes.patch(node, [{ op: 'replace', path: '/driver_info/provisioning_network', value: flat }])
  expect(await reason()).toMatchObject({ result: false, reason: expect.stringContaining('is flat') })
  await nodes.provision(node, 'provide')
  await world.cloud.settle()
  expect((await world.get(node)).last_error).toContain('is flat')
  expect(await portsOn(flat)).toEqual([])
})
