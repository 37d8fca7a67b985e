import { linkOf } from '@bloomery/dhcp6/relay.ts'
import type { Answer } from '@bloomery/dhcp6/decide.ts'
import type { DhcpRequest } from '@bloomery/dhcp6/request.ts'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'
import type { TenantPort } from '../../contract/tenant-port.ts'

type Served = Extract<Answer, { serve: true }>

/** RFC 3646 §4. */
const DOMAIN_SEARCH = 24
const LEASE_SECONDS = 3_600

/** What DHCPv6 says to a card for its port; undefined: it asks on another network, or DHCPv6 has nothing to say on its own. */
export function tenantLease6(
  port: TenantPort,
  { relays }: DhcpRequest,
): Pick<Served, 'link' | 'address' | 'options'> | undefined {
  const from = linkOf(relays)
  const found = port.addresses.find(
    ({ cidr, mode }) =>
      (mode === 'dhcpv6-stateful' || mode === 'dhcpv6-stateless') && (!from || isSameNetwork(prefixOf(cidr), from)),
  )
  if (!found) return undefined
  const dns = found.dns.filter((each) => each.includes(':')).map(ipv6ToBytes)
  const own = port.options.filter(({ version }) => version === 6)
  return {
    link: { prefix: prefixOf(found.cidr), dns, leaseSeconds: LEASE_SECONDS },
    address: found.mode === 'dhcpv6-stateful' ? ipv6ToBytes(found.address) : null,
    options: [
      { code: DOMAIN_SEARCH, value: domainName(port.domain) },
      ...own.map(({ code, value }) => ({ code, value: Buffer.from(value, 'hex') })),
    ].filter(({ code }, at, all) => all.findLastIndex((each) => each.code === code) === at),
  }
}

const prefixOf = (cidr: string): Uint8Array => ipv6ToBytes(cidr.split('/')[0] ?? '')
const isSameNetwork = (one: Uint8Array, other: Uint8Array): boolean =>
  Buffer.from(one.subarray(0, 8)).equals(other.subarray(0, 8))

/** RFC 1035 §3.1 */
function domainName(name: string): Uint8Array {
  const labels = name.split('.').filter((label) => label !== '' && label.length < 64)
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]),
    Buffer.of(0),
  ])
}
