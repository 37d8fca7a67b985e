import { UserError } from '../../contract/api/faults.ts'
import { parseAddress } from '../../contract/address.ts'
import type { FixedIp, Network, NetworkPort, Subnet } from '../../contract/network.ts'
import type { Key, Table, Write } from '../platform.ts'
import { store } from '../store/entity.ts'
import { all } from '../store/paging.ts'

/** Networks, their subnets and ports in the table. What is of a network is a list by that network; what carries a device's id, by that. */

export const networkStore = store<Network>({
  title: 'network',
  word: 'network',
  plural: 'networks',
  lists: ({ project_id: project }) => ({ owner: `networks-for#${project}` }),
})

const missing = (network: string) => ({
  key: networkStore.key(network),
  missing: new UserError(404, `Network ${network} could not be found.`),
})

export const subnetStore = store<Subnet>({
  title: 'subnet',
  word: 'subnet',
  plural: 'subnets',
  lists: ({ project_id: project, network_uuid: network }) => ({
    owner: `subnets-for#${project}`,
    class: subnetsOn(network).pk,
  }),
  needs: ({ network_uuid: network }) => [missing(network)],
})
export const subnetsOn = (network: string) => ({ index: 'class' as const, pk: `subnets-on#${network}` })

const macPartition = (network: string, mac: string): string => `network-mac#${network}#${mac}`

export const portStore = store<NetworkPort>({
  title: 'port',
  word: 'network-port',
  plural: 'network-ports',
  lists: ({ project_id: project, network_uuid: network, device_id: device }) => ({
    owner: `network-ports-for#${project}`,
    class: networkPortsOn(network).pk,
    ...(device === '' ? {} : { node: networkPortsOf(device).pk }),
  }),
  uniques: ({ network_uuid: network, mac_address: mac }) => [
    {
      pk: macPartition(network, mac),
      clash: `Unable to complete operation for network ${network}. The mac address ${mac} is in use.`,
    },
  ],
  needs: ({ network_uuid: network }) => [missing(network)],
})
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

/** A port's change with the addresses that it takes and gives back. The addresses taken are the last writes but those given back. */
export function portWrites(before: NetworkPort | undefined, after: NetworkPort | undefined): Write[] {
  const key = (ip: FixedIp): string => `${ip.subnet_uuid} ${ip.ip_address}`
  const had = new Set(before?.fixed_ips.map(key))
  const has = new Set(after?.fixed_ips.map(key))
  const taken = after?.fixed_ips.filter((ip) => !had.has(key(ip))) ?? []
  const given = before?.fixed_ips.filter((ip) => !has.has(key(ip))) ?? []
  return [
    ...portStore.writes(before, after),
    ...taken.map((ip) => ({
      put: { ...addressKey(ip), version: 1, value: { port: after?.uuid, ip_address: ip.ip_address } },
      expect: 'absent' as const,
    })),
    ...given.map((ip) => ({ delete: addressKey(ip) })),
  ]
}
