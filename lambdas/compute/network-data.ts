import { formatAddress } from '../../contract/address.ts'
import type { Network, NetworkPort, Subnet } from '../../contract/network.ts'
import { prefixOf } from '../network/addressing.ts'

/** The `network_data.json` of a config drive: what a machine has to make of its cards. Pure. */

export interface Wired {
  port: NetworkPort
  network: Network
  addresses: Array<{ ip_address: string; subnet: Subnet }>
  /** It is on a bond of these cards. */
  bond?: { mode: string; properties: Record<string, unknown>; members: string[] } | undefined
  /** What a trunk carries beside it. */
  carried?: Array<Pick<Wired, 'port' | 'network' | 'addresses'> & { vlan: number }>
}

/** `links` are cards and VLANs on them, `networks` their addresses, `services` the name servers. */
export function networkData(wired: readonly Wired[]): { links: object[]; networks: object[]; services: object[] } {
  const links = wired.flatMap((one, at) => [...linksOf(one, at), ...vlansOf(one, at)])
  const placed = wired.flatMap((one, at) => [
    { ...one, name: String(at), link: linkId(at) },
    ...(one.carried ?? []).map((each) => ({ ...each, name: `${at}-${each.vlan}`, link: vlanId(at, each.vlan) })),
  ])
  const networks = placed.flatMap(({ name, link, network, addresses }) =>
    addresses.map((each, at) => ({
      id: `network${name}-${at}`,
      link,
      network_id: network.uuid,
      ...addressed(each, link === linkId(0)),
    })),
  )
  const servers = new Set(placed.flatMap(({ addresses }) => addresses.flatMap(({ subnet }) => subnet.dns_nameservers)))
  return { links, networks, services: [...servers].map((address) => ({ type: 'dns', address })) }
}

/** A card; or a bond, and the cards that are in it. */
function linksOf({ port, network, bond }: Wired, at: number): object[] {
  const link = { id: linkId(at), ethernet_mac_address: port.mac_address, mtu: network.mtu, vif_id: port.uuid }
  if (!bond) return [{ ...link, type: 'phy' }]
  const members = bond.members.map((mac, index) => ({
    id: `${linkId(at)}-${index}`,
    type: 'phy',
    ethernet_mac_address: mac,
    mtu: network.mtu,
  }))
  // Linux's names of what a portgroup's properties are, as guests know them.
  const more = Object.entries(bond.properties).map(([name, value]) => [
    name.startsWith('bond_') ? name : `bond_${name}`,
    value,
  ])
  const settings = { bond_mode: bond.mode, bond_links: members.map(({ id }) => id), ...Object.fromEntries(more) }
  return [...members, { ...link, type: 'bond', ...settings }]
}

const linkId = (at: number): string => `interface${at}`
const vlanId = (at: number, vlan: number): string => `${linkId(at)}-vlan${vlan}`

/** Of a trunk: tagged frames of that card or bond. Guests look for the MAC under one name or the other. */
function vlansOf({ carried = [] }: Wired, at: number): object[] {
  return carried.map(({ port, network, vlan }) => ({
    id: vlanId(at, vlan),
    type: 'vlan',
    vlan_link: linkId(at),
    vlan_id: vlan,
    vlan_mac_address: port.mac_address,
    ethernet_mac_address: port.mac_address,
    mtu: network.mtu,
    vif_id: port.uuid,
  }))
}

/** Only the first card's gateway is the machine's. */
function addressed({ ip_address, subnet }: Wired['addresses'][number], isFirst: boolean): object {
  const { ip_version: version, gateway_ip: gateway, host_routes: hosts, dns_nameservers } = subnet
  const mask = maskOf(subnet)
  const routes = [
    ...(gateway !== null && isFirst
      ? [{ network: version === 4 ? '0.0.0.0' : '::', netmask: version === 4 ? '0.0.0.0' : '::', gateway }]
      : []),
    ...hosts.map(({ destination, nexthop }) => {
      const prefix = prefixOf({ cidr: destination })
      return {
        network: formatAddress({ version: prefix.version, value: prefix.base }),
        netmask: maskOf({ cidr: destination }),
        gateway: nexthop,
      }
    }),
  ]
  const services = dns_nameservers.map((address) => ({ type: 'dns', address }))
  return { type: version === 4 ? 'ipv4' : 'ipv6', ip_address, netmask: mask, routes, services }
}

function maskOf(subnet: Pick<Subnet, 'cidr'>): string {
  const { version, length } = prefixOf(subnet)
  const bits = version === 4 ? 32n : 128n
  const value = ((1n << bits) - 1n) ^ ((1n << (bits - BigInt(length))) - 1n)
  return formatAddress({ version, value })
}
