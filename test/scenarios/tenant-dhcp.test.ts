import { execFileSync, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADDRESSES_SETTLED, cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { appliancesOf } from '../../lambdas/store/appliances.ts'
import { commandsTo } from '../cloud/control-plane.ts'
import { InstanceWorld } from '../cloud/instance-world.ts'

/** Through the API: a server's port has an address, and Debian's DHCP clients on its card get just that from the site. */

const named = (who: string): string => `blm-tn-${process.pid}-${who}`
const [SITE, MACHINE, ROUTER] = [named('s'), named('m'), named('r')]
const PATIENCE = { timeout: 60_000, interval: 200 }
let world: InstanceWorld
let network: PeerNetwork
let dir: string
let site: ChildProcess
let told = 0
const lines: Record<string, string>[] = []

const config = {
  subnets: [{ cidr: '10.94.0.0/24', interfaceAddress: '10.94.0.1', range: ['10.94.0.100', '10.94.0.199'] }],
  nextServer: '10.94.0.1',
  ipv6: { address: 'fd00:94::1', links: [{ prefix: 'fd00:94::/64', interface: 'prov0' }] },
  files: {},
}

async function startSite(): Promise<void> {
  const program = new URL('tenant-site.ts', import.meta.url).pathname
  let isUp = false
  site = network.run(SITE, [process.execPath, program, join(dir, 'ledger'), JSON.stringify(config)], (line) => {
    if ('up' in line) isUp = true
    else lines.push(line)
  })
  await network.until('the site', () => isUp)
}

/** What the cloud has for the site goes over; `again`: all of it, as after a lost acknowledgement. */
function tellSite(again = false): void {
  const all = commandsTo(world.cloud, appliance).filter(({ kind }) => kind === 'tenant_port')
  for (const each of all.slice(again ? 0 : told)) site.stdin?.write(`${JSON.stringify(each)}\n`)
  told = all.length
}
let appliance: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tenant-dhcp-'))
  network = peerNetwork([SITE, MACHINE, ROUTER])
  network.ip(SITE, 'link add prov0 type bridge', 'link set prov0 up')
  cable(network, { netns: SITE, name: 'p0' }, { netns: MACHINE, name: 'eth0' })
  network.ip(SITE, 'link set p0 master prov0', 'address add 10.94.0.1/24 dev prov0')
  network.ip(SITE, 'address add fd00:94::1/64 dev prov0 nodad', 'route add 255.255.255.255 dev prov0')
  network.ip(MACHINE, 'link set eth0 down', 'link set eth0 address 52:54:00:00:00:01', 'link set eth0 up')
  await startSite()
  world = await InstanceWorld.open()
  await world.flavor()
  await world.node('n1')
  appliance = (await appliancesOf(world.cloud.platform.table, 'berlin'))[0]?.uuid ?? ''
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await network?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** What dhclient was told, by the names of its script's variables; undefined until it has a lease. */
function dhclient(
  version: 4 | 6,
  run: string,
  card = 'eth0',
): { told(): Record<string, string> | undefined; client: ChildProcess } {
  const file = join(dir, run)
  const bound = `env >'${file}.env.new'; mv '${file}.env.new' '${file}.env'`
  writeFileSync(
    `${file}.sh`,
    `#!/bin/sh\ncase "$reason" in PREINIT6) ${ADDRESSES_SETTLED} ;; BOUND|BOUND6) ${bound} ;; esac\n`,
  )
  chmodSync(`${file}.sh`, 0o755)
  const asked =
    'subnet-mask, routers, domain-name-servers, host-name, domain-name, interface-mtu, ntp-servers, dhcp6.name-servers, dhcp6.domain-search'
  const classless = 'option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;'
  writeFileSync(`${file}.conf`, `${classless}\nrequest ${asked}, rfc3442-classless-static-routes;\n`)
  const own = ['-sf', `${file}.sh`, '-lf', `${file}.lf`, '-pf', `${file}.pid`, '-cf', `${file}.conf`]
  const client = network.run(MACHINE, ['dhclient', `-${version}`, '-d', ...own, card])
  const read = (): Record<string, string> | undefined => {
    try {
      const pairs = readFileSync(`${file}.env`, 'utf8')
        .split('\n')
        .map((line) => line.split(/=(.*)/s))
      return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]))
    } catch {
      return undefined
    }
  }
  return { told: read, client }
}

async function ended({ client }: { client: ChildProcess }): Promise<void> {
  client.kill('SIGTERM')
  await expect.poll(() => client.exitCode ?? client.signalCode, PATIENCE).not.toBeNull()
}

const decided = (request: string): string[] =>
  lines.filter((line) => line['request'] === request).map(({ reply = '', because = '' }) => `${reply}: ${because}`)

test("a card gets the address, routes, name and options of its server's port, whatever becomes of the cloud; after the server, nothing", async () => {
  const { id: net } = await world.made('/network/v2.0/networks', {
    network: { name: 'blue', mtu: 1400, dns_domain: 'blue.example.' },
  })
  const subnet = { network_id: net, ip_version: 4, cidr: '10.50.0.0/24', dns_nameservers: ['9.9.9.9'] }
  const host_routes = [{ destination: '10.60.0.0/16', nexthop: '10.50.0.254' }]
  await world.made('/network/v2.0/subnets', { subnet: { ...subnet, host_routes } })
  const six = { network_id: net, ip_version: 6, dns_nameservers: ['2001:db8::53'] }
  const stateful = { cidr: '2001:db8:50::/64', ipv6_address_mode: 'dhcpv6-stateful', ipv6_ra_mode: 'dhcpv6-stateful' }
  await world.made('/network/v2.0/subnets', { subnet: { ...six, ...stateful } })
  const extra_dhcp_opts = [{ opt_name: 'ntp-server', opt_value: '10.50.0.9,10.50.0.10' }]
  const port = await world.made('/network/v2.0/ports', { port: { network_id: net, extra_dhcp_opts, dns_name: 'web' } })
  const ipv4 = port.fixed_ips.find(({ ip_address: ip }: { ip_address: string }) => !ip.includes(':')).ip_address
  const ipv6 = port.fixed_ips.find(({ ip_address: ip }: { ip_address: string }) => ip.includes(':')).ip_address
  const server = await world.asked({ networks: [{ port: port.id }] })
  tellSite()

  const first = dhclient(4, 'first')
  expect((await network.until('a lease', first.told))['new_ip_address']).toBe(ipv4)
  expect(first.told()).toMatchObject({
    new_subnet_mask: '255.255.255.0',
    new_routers: '10.50.0.1',
    new_domain_name_servers: '9.9.9.9',
    new_domain_name: 'blue.example',
    new_host_name: 'web',
    new_interface_mtu: '1400',
    new_ntp_servers: '10.50.0.9 10.50.0.10',
    new_rfc3442_classless_static_routes: '16 10 60 10 50 0 254 0 10 50 0 1',
  })
  await ended(first)

  const third = dhclient(6, 'six')
  expect((await network.until('a lease', third.told))['new_ip6_address']).toBe(ipv6)
  expect(third.told()).toMatchObject({
    new_dhcp6_name_servers: '2001:db8::53',
    new_dhcp6_domain_search: expect.stringContaining('blue.example'),
  })
  await ended(third)

  // The appliance starts anew, and nothing comes from the cloud; what came before comes twice.
  site.kill('SIGKILL')
  await expect.poll(() => site.signalCode, PATIENCE).toBe('SIGKILL')
  await startSite()
  tellSite(true)
  const second = dhclient(4, 'second')
  expect((await network.until('a lease', second.told))['new_ip_address']).toBe(ipv4)
  await ended(second)

  const [node] = await world.cloud.client.nodes.list()
  await world.deployed(node?.uuid ?? '')
  await world.ask('DELETE', `/compute/v2.1/servers/${server}`)
  await world.tornDown(node?.uuid ?? '')
  lines.length = 0
  tellSite()
  dhclient(4, 'last')
  await expect.poll(() => decided('discover'), PATIENCE).toContain('none: unknown machine, and this site ignores those')
}, 240_000)

test('of a network whose addresses machines make by themselves, the site tells the prefix, and the card makes what the API says', async () => {
  const { id: net } = await world.made('/network/v2.0/networks', { network: { name: 'green' } })
  const slaac = { cidr: '2001:db8:51::/64', ipv6_address_mode: 'slaac', ipv6_ra_mode: 'slaac' }
  await world.made('/network/v2.0/subnets', { subnet: { network_id: net, ip_version: 6, ...slaac } })
  await world.asked({ networks: [{ uuid: net }] })
  tellSite()
  const [port] = (await world.ask('GET', `/network/v2.0/ports?network_id=${net}`)).body.ports
  expect(port.fixed_ips[0].ip_address).toBe('2001:db8:51:0:5054:ff:fe00:1')
  const addresses = (): string =>
    execFileSync('ip', ['-netns', MACHINE, '-6', 'address', 'show', 'dev', 'eth0']).toString()
  await expect.poll(addresses, PATIENCE).toContain(`${port.fixed_ips[0].ip_address}/64`)
}, 120_000)

test("a VLAN on a card gets the address of the trunk's subport, by its MAC, through the relay of that network's router", async () => {
  network.ip(SITE, 'route add 10.52.0.0/24 via 10.94.0.254')
  cable(network, { netns: SITE, name: 'p1' }, { netns: ROUTER, name: 'up0' })
  network.ip(SITE, 'link set p1 master prov0')
  // The kernel here may know no 802.1Q: this is VLAN 52 with the tags off, as the machine's and the router's kernel would have it.
  cable(network, { netns: ROUTER, name: 'lan52' }, { netns: MACHINE, name: 'storage' })
  network.ip(ROUTER, 'address add 10.94.0.254/24 dev up0', 'address add 10.52.0.1/24 dev lan52')
  network.run(ROUTER, ['dhcrelay', '-4', '-d', '--no-pid', '-id', 'lan52', '-iu', 'up0', '10.94.0.1'])
  await network.listens(ROUTER, 'udp', 67)
  const [parent, sub] = [await tagged('apps', 51), await tagged('storage', 52)]
  const sub_ports = [{ port_id: sub.id, segmentation_type: 'inherit' }]
  await world.made('/network/v2.0/trunks', { trunk: { port_id: parent.id, sub_ports } })
  const node = await world.node('n2')
  await world.asked({ networks: [{ port: parent.id }] })
  const [card] = (await world.cloud.client.ports.list({ node_uuid: node })) as { address: string }[]
  tellSite()

  network.ip(MACHINE, 'link set eth0 down', `link set eth0 address ${card?.address}`, 'link set eth0 up')
  network.ip(MACHINE, 'link set storage down', `link set storage address ${sub.mac_address}`, 'link set storage up')
  const [{ ip_address: wanted }] = sub.fixed_ips
  const onVlan = dhclient(4, 'vlan', 'storage')
  expect((await network.until('a lease', onVlan.told))['new_ip_address']).toBe(wanted)
  expect(onVlan.told()).toMatchObject({ new_subnet_mask: '255.255.255.0', interface: 'storage' })
  await ended(onVlan)
  const untagged = dhclient(4, 'parent')
  expect((await network.until('a lease', untagged.told))['new_ip_address']).toBe(parent.fixed_ips[0].ip_address)
  await ended(untagged)
}, 240_000)

/** A port in a network that is a VLAN of its own. */
async function tagged(name: string, id: number) {
  const vlan = { 'provider:network_type': 'vlan', 'provider:physical_network': 'rack', 'provider:segmentation_id': id }
  const net = await world.made('/network/v2.0/networks', { network: { name, shared: true, ...vlan } }, world.admin)
  const subnet = { network_id: net.id, ip_version: 4, cidr: `10.${id}.0.0/24` }
  await world.made('/network/v2.0/subnets', { subnet }, world.admin)
  return world.made('/network/v2.0/ports', { port: { network_id: net.id } })
}
