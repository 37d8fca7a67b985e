import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { portStore } from '../../lambdas/network/store.ts'
import { configDrive } from '../../lambdas/compute/spawn.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { stepName } from '../../contract/plan.ts'
import { appliancesOf } from '../../lambdas/store/appliances.ts'
import { commandsTo } from './control-plane.ts'
import { portsOf } from '../../lambdas/store/ports.ts'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
})
afterEach(() => world[Symbol.asyncDispose]())

const port = async (network: string, more: object = {}) =>
  world.made('/network/v2.0/ports', { port: { network_id: network, ...more } })
const shown = async (id: string) =>
  (await world.ask('GET', `/network/v2.0/ports/${id}`, undefined, world.admin)).body.port
const refusal = (doing: Promise<unknown>) =>
  doing.then(
    () => undefined,
    (error: Error) => error.message,
  )
const cards = (node: string) => portsOf(world.cloud.platform.table, node)

describe('a VIF', () => {
  it('of network interface flat is a port: bound to a card, whose MAC it gets, until it is detached', async () => {
    const network = await world.network()
    const node = await world.node('n1', { network_interface: 'flat' }, 2)
    const { nodes } = world.cloud.client
    const [one, two, three] = [await port(network), await port(network), await port(network)]
    const [, second] = await cards(node)
    await nodes.attachVif(node, { id: one.id, port_uuid: second?.uuid })
    expect(await shown(one.id)).toMatchObject({
      status: 'ACTIVE',
      mac_address: second?.address,
      device_id: node,
      device_owner: 'baremetal:none',
      'binding:host_id': node,
    })
    expect(await refusal(nodes.attachVif(node, { id: one.id }))).toContain('already attached')
    await nodes.attachVif(node, { id: two.id })
    expect((await nodes.vifs(node)).vifs.map(({ id }) => id)).toEqual(expect.arrayContaining([one.id, two.id]))
    expect(await refusal(nodes.attachVif(node, { id: three.id }))).toContain('no free card')
    await nodes.detachVif(node, one.id)
    expect(await shown(one.id)).toMatchObject({
      status: 'DOWN',
      device_id: '',
      device_owner: '',
      'binding:host_id': '',
    })
    expect(await refusal(nodes.detachVif(node, one.id))).toContain('is not attached')
    expect((await nodes.vifs(node)).vifs).toEqual([{ id: two.id }])
  })

  it('of network interface noop is nothing, and of neutron needs to know where the card is plugged in', async () => {
    const network = await world.network()
    const { nodes, ports } = world.cloud.client
    const [noop, neutron] = [
      await world.node('n1'),
      await world.node('n2', { network_interface: 'neutron', provision_state: 'manageable' }),
    ]
    const vif = await port(network)
    await nodes.attachVif(noop, { id: vif.id })
    expect((await nodes.vifs(noop)).vifs).toEqual([])
    expect((await shown(vif.id)).status).toBe('DOWN')
    expect(await refusal(nodes.attachVif(neutron, { id: vif.id }))).toContain('local_link_connection')
    const [card] = await cards(neutron)
    const link = { switch_id: '52:54:00:99:00:01', port_id: 'swp1', switch_info: 'tor-1' }
    await ports.patch(card?.uuid ?? '', [{ op: 'replace', path: '/local_link_connection', value: link }])
    await nodes.attachVif(neutron, { id: vif.id })
    expect(await shown(vif.id)).toMatchObject({
      status: 'ACTIVE',
      'binding:profile': { local_link_information: [link] },
    })
    await world.change(neutron, { provision_state: 'active' })
    expect(await refusal(nodes.detachVif(neutron, vif.id))).toContain(
      'its switch gets its VLANs when its instance starts',
    )
    await world.change(neutron, { provision_state: 'available' })
    await nodes.detachVif(neutron, vif.id)
  })
})

it("a server's port is on a bond where its node has one, and its config drive says of which cards and how", async () => {
  await world.flavor()
  const network = await world.network()
  const node = await world.node('n1', { provision_state: 'manageable' }, 2)
  const { portgroups, ports } = world.cloud.client
  const bond = {
    node_uuid: node,
    name: 'bond0',
    address: '52:54:00:0b:00:01',
    mode: '802.3ad',
    properties: { miimon: 100 },
  }
  const { uuid: group } = await portgroups.create(bond)
  const members = await cards(node)
  for (const card of members) await ports.patch(card.uuid, [{ op: 'add', path: '/portgroup_uuid', value: group }])
  await world.change(node, { provision_state: 'available' })
  const id = await world.asked()
  const { table } = world.cloud.platform
  const server = await serverStore.get(table, id)
  const own = await portStore.get(table, server?.nics[0]?.port ?? '')
  expect(own).toMatchObject({ mac_address: bond.address, network_uuid: network, bound: { node, port: group } })
  const drive = server && (await configDrive(world.cloud.platform, server))
  expect(drive?.network_data).toMatchObject({
    links: [
      { id: 'interface0-0', type: 'phy', ethernet_mac_address: members.map(({ address }) => address).sort()[0] },
      { id: 'interface0-1', type: 'phy' },
      {
        id: 'interface0',
        type: 'bond',
        ethernet_mac_address: bond.address,
        bond_mode: '802.3ad',
        bond_miimon: 100,
        bond_links: ['interface0-0', 'interface0-1'],
      },
    ],
    networks: [{ link: 'interface0', type: 'ipv4' }],
  })
  await world.deployed(node)
  await world.ask('DELETE', `/compute/v2.1/servers/${id}`)
  await world.tornDown(node)
  expect((await world.ask('GET', `/network/v2.0/ports?network_id=${network}`)).body.ports).toEqual([])
})

it("a node of network interface neutron is deployed in its site's VLAN, starts in its tenant's, and leaves that with its instance", async () => {
  await world.flavor()
  const vlan = async (name: string, id: number) => {
    const provider = {
      'provider:network_type': 'vlan',
      'provider:physical_network': 'rack',
      'provider:segmentation_id': id,
    }
    const { id: uuid } = await world.made(
      '/network/v2.0/networks',
      { network: { name, shared: true, ...provider } },
      world.admin,
    )
    const subnet = { network_id: uuid, ip_version: 4, cidr: `10.${id}.0.0/24` }
    await world.made('/network/v2.0/subnets', { subnet }, world.admin)
    return String(uuid)
  }
  const [site, tenant] = [await vlan('provisioning', 10), await vlan('blue', 42)]
  const node = await world.node('n1', { network_interface: 'neutron', provision_state: 'manageable' })
  const { ports, nodes } = world.cloud.client
  const [card] = await cards(node)
  const link = { switch_id: '52:54:00:99:00:01', port_id: 'swp1', switch_info: 'tor-1' }
  await ports.patch(card?.uuid ?? '', [{ op: 'replace', path: '/local_link_connection', value: link }])
  await nodes.patch(node, [{ op: 'add', path: '/driver_info/provisioning_network', value: site }])
  await world.change(node, { provision_state: 'available' })
  const id = await world.asked({ networks: [{ uuid: tenant }] })
  expect(await plugs(node)).toEqual([
    { connections: [{ switch: 'tor-1', port: 'swp1', vlan: 10 }] },
    { connections: [{ switch: 'tor-1', port: 'swp1', vlan: 42 }] },
  ])
  await world.deployed(node)
  await world.ask('DELETE', `/compute/v2.1/servers/${id}`)
  expect(await plugs(node)).toEqual([{ connections: [{ switch: 'tor-1', port: 'swp1', vlan: 10 }] }])
})

it('a deploy on a switch whose VLAN nobody named fails, and says what is missing', async () => {
  await world.flavor()
  const node = await world.node('n1', { network_interface: 'neutron' })
  const id = await world.asked({ networks: 'none' })
  const server = await serverStore.get(world.cloud.platform.table, id)
  expect(server?.fault?.message).toContain('driver_info/provisioning_network')
  expect((await world.get(node)).provision_state).toBe('deleting')
})

/** What the newest plan has its switches do. */
async function plugs(node: string): Promise<unknown[]> {
  const [appliance] = await appliancesOf(world.cloud.platform.table, 'berlin')
  const runs = commandsTo(world.cloud, appliance?.uuid ?? '').filter(
    (each) => each.kind === 'run' && each.node === node,
  )
  const last = runs.at(-1)
  if (last?.kind !== 'run' || !('steps' in last.plan)) throw new Error('no plan was sent')
  return last.plan.steps.filter((each) => stepName(each) === 'network.plug').map(({ args }) => args)
}
