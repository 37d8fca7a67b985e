import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { type PeerSwitch, startPeerSwitch } from '../../appliance/switches/peer-switch.ts'
import { type MachinesToHave, openMachines } from '../clients/machines.ts'
import { personOf } from './person.ts'

/** A server's whole life on a machine that hangs on a switch: Debian's Open vSwitch, of which the cloud was told by the API. */

const named = (who: string): string => `blm-swd-${process.pid}-${who}`
const [SWITCH, MACHINE, TENANT, SITE] = [named('s'), named('m'), named('t'), named('p')]
const PATIENCE = { timeout: 120_000, interval: 200 }
let network: PeerNetwork
let tor: PeerSwitch
let machines: MachinesToHave
let ask: Awaited<ReturnType<typeof personOf>>

beforeAll(async () => {
  network = peerNetwork([SWITCH, MACHINE, TENANT, SITE])
  tor = await startPeerSwitch(network, SWITCH, { swp1: MACHINE, swp2: TENANT, swp3: SITE })
  for (const [at, each] of [MACHINE, TENANT, SITE].entries())
    network.ip(each, `address add 10.96.0.${at + 1}/24 dev eth0`)
  tor.vsctl('set', 'port', 'swp2', 'tag=42', '--', 'set', 'port', 'swp3', 'tag=11')
  machines = await openMachines(1, 5) // Open vSwitch takes its time by the wall's clock
  ask = await personOf(machines)
}, 240_000)
afterAll(async () => {
  await machines?.stop()
  tor?.stop()
  await network?.stop()
})

async function vlan(name: string, id: number): Promise<string> {
  const provider = {
    'provider:network_type': 'vlan',
    'provider:physical_network': 'rack',
    'provider:segmentation_id': id,
  }
  const { network: made } = await ask('POST', '/network/v2.0/networks', { network: { name, ...provider } })
  const subnet = { network_id: made.id, ip_version: 4, cidr: `10.${id}.0.0/24` }
  await ask('POST', '/network/v2.0/subnets', { subnet })
  return String(made.id)
}
/** The VLANs that the switch was given for the machine's port, in their order. */
const given = (): string[] => tor.commands().flatMap((line) => /set Port swp1 .*tag=(\d+)/.exec(line)?.[1] ?? [])
const reaches = (whom: 2 | 3): boolean =>
  spawnSync('ip', ['netns', 'exec', MACHINE, 'ping', '-c', '1', '-W', '2', `10.96.0.${whom}`], { stdio: 'ignore' })
    .status === 0
/** The first frames after a change may be lost: that the other answers shows that it is through. */
async function reachesOnly(whom: 2 | 3): Promise<void> {
  await expect.poll(() => reaches(whom), PATIENCE).toBe(true)
  expect(reaches(whom === 2 ? 3 : 2)).toBe(false)
}
/** What became of the ports of the site's own networks. */
const servicePorts = (): string[] =>
  machines.cloud.logged.flatMap((line) => {
    const { msg, use } = JSON.parse(line) as { msg: string; use?: string }
    return msg.startsWith('service port ') ? [`${use} ${msg.slice('service port '.length)}`] : []
  })
const portsOf = async (net: string): Promise<unknown[]> =>
  (await ask('GET', `/network/v2.0/ports?network_id=${net}`)).ports

test(
  "its port is in the site's VLANs while a ramdisk runs, in the tenant's while the server lives, and is cleaned in the site's again",
  { timeout: 420_000 },
  async () => {
    const { client } = machines.fleet
    const [{ uuid: node } = { uuid: '' }] = machines.fleet.members
    const private_key = readFileSync(tor.keyFile('user'), 'utf8')
    const { name, id, address, port, username, fingerprint } = tor.config
    const door = { id: id!, address, port, username, fingerprint, private_key }
    expect(await client.sites.setSwitch('site-1', name, door)).toMatchObject({ name, private_key: '******' })
    const [cleaning, provisioning, tenant] = [
      await vlan('cleaning', 11),
      await vlan('prov', 10),
      await vlan('blue', 42),
    ]
    const [card] = await client.nodes.ports(node)
    const local = { switch_info: name, switch_id: id, port_id: 'swp1' }
    await client.nodes.provision(node, 'manage')
    await expect.poll(async () => (await client.nodes.get(node)).provision_state, PATIENCE).toBe('manageable')
    await client.ports.patch(card?.uuid ?? '', [{ op: 'replace', path: '/local_link_connection', value: local }])
    await client.nodes.patch(node, [{ op: 'replace', path: '/network_interface', value: 'neutron' }])
    expect((await client.nodes.validate(node))['network']).toMatchObject({
      result: false,
      reason: expect.stringMatching(/^UUID or name of cleaning network is not set in configuration/),
    })
    await client.nodes.patch(node, [
      { op: 'add', path: '/driver_info/provisioning_network', value: provisioning },
      { op: 'add', path: '/driver_info/cleaning_network', value: 'cleaning' },
    ])
    expect((await client.nodes.validate(node))['network']).toEqual({ result: true })

    await client.nodes.provision(node, 'provide')
    await expect.poll(() => given(), PATIENCE).toEqual(['11'])
    await expect.poll(async () => (await client.nodes.get(node)).provision_state, PATIENCE).toBe('available')
    await expect.poll(() => servicePorts(), PATIENCE).toEqual(['cleaning made', 'cleaning removed'])
    expect(tor.tag('swp1')).toBe('11')
    await reachesOnly(3)

    const { flavor } = await ask('POST', '/compute/v2.1/flavors', {
      flavor: { name: 'metal', vcpus: 1, ram: 1024, disk: 1 },
    })
    const extra_specs = { 'resources:CUSTOM_BAREMETAL': '1' }
    await ask('POST', `/compute/v2.1/flavors/${flavor.id}/os-extra_specs`, { extra_specs })
    const [image] = await client.images.list()
    const wish = { name: 'web', imageRef: image?.uuid, flavorRef: flavor.id, networks: [{ uuid: tenant }] }
    const { server } = await ask('POST', '/compute/v2.1/servers', { server: wish })
    const shown = async () => (await ask('GET', `/compute/v2.1/servers/${server.id}`)).server
    await expect.poll(async () => (await shown()).status, PATIENCE).toBe('ACTIVE')
    expect(given()).toEqual(['11', '10', '42'])
    await reachesOnly(2)
    await expect.poll(() => servicePorts().slice(2), PATIENCE).toEqual(['provisioning made', 'provisioning removed'])

    await ask('DELETE', `/compute/v2.1/servers/${server.id}`)
    await expect.poll(async () => (await client.nodes.get(node)).provision_state, PATIENCE).toBe('available')
    expect(given()).toEqual(['11', '10', '42', '11'])
    await reachesOnly(3)
    await expect.poll(() => servicePorts().slice(4), PATIENCE).toEqual(['cleaning made', 'cleaning removed'])
    expect([await portsOf(cleaning), await portsOf(provisioning), await portsOf(tenant)]).toEqual([[], [], []])

    const secret = private_key.split('\n')[2] ?? ''
    expect(secret.length).toBeGreaterThan(40)
    const logs = [...machines.cloud.logged, ...machines.fleet.logged].join('\n')
    expect(logs).toContain('switch added')
    expect(logs).not.toContain(secret)
    for (const dir of [machines.cloud.dataDir, machines.fleet.dir]) {
      expect([isIn(dir, fingerprint), isIn(dir, secret)]).toEqual([true, false])
    }
  },
)

const isIn = (dir: string, text: string): boolean => spawnSync('grep', ['-rqF', '--', text, dir]).status === 0
