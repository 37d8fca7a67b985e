import { ipv4FromText } from '@bloomery/wire/address.ts'
import type { DhcpRequest } from '@bloomery/dhcp/request.ts'
import { contains } from '@bloomery/dhcp/subnet.ts'
import type { TenantPort } from '../../contract/tenant-port.ts'
import type { BootMachine } from './machine.ts'
import type { SiteSubnet } from './site-options.ts'
import { siteOptions } from './site-options.ts'
import { Option } from '@bloomery/dhcp/codes.ts'

/** Domain name, interface MTU: RFC 2132 §3.17, §5.1. */
const DOMAIN = 15
const MTU = 26
const LEASE_SECONDS = 3_600

export interface TenantLease {
  address: number
  subnet: SiteSubnet
  hostname: string
  options: Map<number, Uint8Array>
}

/** A card has its port's network once its machine is nobody's to provision: a ramdisk is on the site's own. */
export function isTenants(machine: BootMachine | undefined): boolean {
  return machine?.mode !== 'ramdisk'
}

/** What DHCP says to a card for its port. A text: that there is nothing for it where it asks, and why. Undefined: it asks on another network. */
export function tenantLease(
  port: TenantPort,
  { packet: { giaddr, options: asked }, relay: { link } }: DhcpRequest,
  serverAddress: number,
): TenantLease | string | undefined {
  const from = link ?? giaddr
  const all = port.addresses.filter(({ cidr }) => !cidr.includes(':')).map((each) => subnetOf(each, serverAddress))
  const found = from === 0 ? all[0] : all.find(({ subnet }) => contains(subnet, from))
  if (!found) return from === 0 ? 'its port has no address that DHCP gives' : undefined
  const requested = asked.get(Option.parameterRequestList)
  const options = siteOptions(found.subnet, requested, undefined)
  options.set(DOMAIN, Buffer.from(port.domain, 'latin1'))
  options.set(MTU, Uint8Array.of(port.mtu >> 8, port.mtu & 255))
  for (const { version, code, value } of port.options) if (version === 4) options.set(code, Buffer.from(value, 'hex'))
  return { ...found, hostname: port.hostname, options }
}

function subnetOf(
  { address, cidr, gateway, dns, routes }: TenantPort['addresses'][number],
  serverAddress: number,
): Pick<TenantLease, 'address' | 'subnet'> {
  const network = networkOf(cidr)
  const subnet: SiteSubnet = {
    ...network,
    serverAddress,
    first: 1,
    last: 0,
    router: gateway === null ? undefined : ipv4FromText(gateway),
    dns: dns.filter((each) => !each.includes(':')).map(ipv4FromText),
    leaseSeconds: LEASE_SECONDS,
    routes: routes.map(({ destination, nexthop }) => ({ ...networkOf(destination), via: ipv4FromText(nexthop) })),
    options: new Map(),
    broadcastOnly: !contains(network, serverAddress),
  }
  return { address: ipv4FromText(address), subnet }
}

function networkOf(cidr: string): { network: number; prefix: number } {
  const [base = '', prefix = ''] = cidr.split('/')
  return { network: ipv4FromText(base), prefix: Number(prefix) }
}
