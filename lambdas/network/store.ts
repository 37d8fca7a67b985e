import { parseAddress } from '../../contract/address.ts'
import type { FixedIp, Network, NetworkPort, SecurityGroup, Segment, Subnet, Trunk } from '../../contract/network.ts'
import type { Key, Table, Write } from '../platform.ts'
import { store } from '../store/entity.ts'
import { all } from '../store/paging.ts'

/** Networks, their subnets and ports in the table. A network names its subnets, so that who sees it at one version knows them all; ports are lists by network and by device. */

export const networkStore = store<Network>({
  title: 'network',
  word: 'network',
  plural: 'networks',
  lists: ({ project_id: project }) => ({ owner: `networks-for#${project}` }),
})

export const segmentStore = store<Segment>({ title: 'segment', word: 'segment', plural: 'segments' })

export const securityGroupStore = store<SecurityGroup>({
  title: 'security group',
  word: 'security-group',
  plural: 'security-groups',
  lists: ({ project_id: project }) => ({ owner: securityGroupsFor(project).pk }),
})
export const securityGroupsFor = (project: string) => ({
  index: 'owner' as const,
  pk: `security-groups-for#${project}`,
})

export const subnetStore = store<Subnet>({
  title: 'subnet',
  word: 'subnet',
  plural: 'subnets',
  lists: ({ project_id: project, network_uuid: network }) => ({
    owner: `subnets-for#${project}`,
    class: `subnets-on#${network}`,
  }),
})

/** Those of a network, as it names them: never one too few, as a list by an index may be for a moment. */
export async function subnetsOf(table: Table, { subnets }: Pick<Network, 'subnets'>): Promise<Subnet[]> {
  const found = await Promise.all(subnets.map((uuid) => subnetStore.get(table, uuid)))
  return found.filter((subnet) => subnet !== undefined)
}

export const portStore = store<NetworkPort>({
  title: 'port',
  word: 'network-port',
  plural: 'network-ports',
  lists: ({ project_id: project, network_uuid: network, device_id: device }) => ({
    owner: networkPortsFor(project).pk,
    class: networkPortsOn(network).pk,
    ...(device === '' ? {} : { node: networkPortsOf(device).pk }),
  }),
})
export const trunkStore = store<Trunk>({
  title: 'trunk',
  word: 'trunk',
  plural: 'trunks',
  lists: ({ project_id: project }) => ({ owner: trunksFor(project).pk }),
})
export const trunksFor = (project: string) => ({ index: 'owner' as const, pk: `trunks-for#${project}` })

export const networkPortsFor = (project: string) => ({ index: 'owner' as const, pk: `network-ports-for#${project}` })
export const networkPortsOn = (network: string) => ({ index: 'class' as const, pk: `network-ports-on#${network}` })
export const networkPortsOf = (device: string) => ({ index: 'node' as const, pk: `network-ports-of#${device}` })

export function portsOfDevice(table: Table, device: string): Promise<NetworkPort[]> {
  return all<NetworkPort>(table, networkPortsOf(device))
}

/** Who has an address: one item for each, so that no two can. In the order of their numbers. */
export function addressKey({ subnet_uuid: subnet, ip_address: ip }: FixedIp): Key {
  const value = parseAddress(ip)?.value ?? 0n
  return { pk: addressesOf(subnet), sk: value.toString(16).padStart(32, '0') }
}
export const addressesOf = (subnet: string): string => `addresses-of#${subnet}`

/** Who has a MAC on a network, one item for each. */
export const macKey = (network: string, mac: string): Key => ({ pk: macsOn(network), sk: mac })
const macsOn = (network: string): string => `macs-on#${network}`

/** The port that has a MAC on a network. */
export async function anyMacOn(table: Table, network: string, mac: string): Promise<NetworkPort | undefined> {
  const item = await table.get(macKey(network, mac))
  return item && portStore.get(table, (item.value as { port: string }).port)
}

/** Any port on a network; looked for where nothing lags behind what was written. */
export async function anyPortOn(table: Table, network: string): Promise<string | undefined> {
  const [first] = (await table.query({ pk: macsOn(network), limit: 1 })).items
  return (first?.value as { port: string } | undefined)?.port
}

/** A port's change with the MAC and the addresses that it takes and gives back. */
export function portWrites(before: NetworkPort | undefined, after: NetworkPort | undefined): Write[] {
  const key = (ip: FixedIp): string => `${ip.subnet_uuid} ${ip.ip_address}`
  const had = new Set(before?.fixed_ips.map(key))
  const has = new Set(after?.fixed_ips.map(key))
  const taken = after?.fixed_ips.filter((ip) => !had.has(key(ip))) ?? []
  const given = before?.fixed_ips.filter((ip) => !has.has(key(ip))) ?? []
  const isSameMac = before?.mac_address === after?.mac_address
  return [
    ...portStore.writes(before, after),
    ...(after && !isSameMac
      ? [
          {
            put: { ...macKey(after.network_uuid, after.mac_address), version: 1, value: { port: after.uuid } },
            expect: 'absent' as const,
          },
        ]
      : []),
    ...(before && !isSameMac ? [{ delete: macKey(before.network_uuid, before.mac_address) }] : []),
    ...taken.map((ip) => ({
      put: { ...addressKey(ip), version: 1, value: { port: after?.uuid, ip_address: ip.ip_address } },
      expect: 'absent' as const,
    })),
    ...given.map((ip) => ({ delete: addressKey(ip) })),
  ]
}
