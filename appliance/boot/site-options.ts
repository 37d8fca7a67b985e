import { ipv4ToBytes } from '@bloomery/wire/address.ts'
import { Option } from '@bloomery/dhcp/codes.ts'
import type { Subnet } from '@bloomery/dhcp/subnet.ts'

/** RFC 3442; RFC 5859. */
const CLASSLESS_ROUTES = 121
const TFTP_SERVERS = 150

export interface Route {
  network: number
  prefix: number
  via: number
}

/** A subnet, and what its configuration says beyond what DHCP itself must know. */
export interface SiteSubnet extends Subnet {
  routes: readonly Route[]
  /** By code. */
  options: ReadonlyMap<number, Uint8Array>
}

/** What only this library or this appliance may say: where a lease, a boot or a relay would be told wrongly otherwise. */
export const ownOptions: ReadonlySet<number> = new Set([
  ...Object.values(Option).filter((code) => code !== Option.vendorSpecific),
  CLASSLESS_ROUTES,
  TFTP_SERVERS,
])

/** What the client asks for (55) of what its subnet's configuration has, and the TFTP server in the option that phones and switches read. */
export function siteOptions(
  subnet: SiteSubnet | undefined,
  asked: Uint8Array | undefined,
  tftp: number | undefined,
): Map<number, Uint8Array> {
  const said = new Map<number, Uint8Array>()
  if (asked === undefined) return said
  for (const [code, value] of subnet?.options ?? []) if (asked.includes(code)) said.set(code, value)
  if (subnet !== undefined && subnet.routes.length > 0 && asked.includes(CLASSLESS_ROUTES))
    said.set(CLASSLESS_ROUTES, classlessRoutes(subnet))
  if (tftp !== undefined && asked.includes(TFTP_SERVERS)) said.set(TFTP_SERVERS, ipv4ToBytes(tftp))
  return said
}

/** RFC 3442: of each network, only the bytes that count. Who reads this passes over option 3, so the default route is among them. */
function classlessRoutes({ routes, router }: SiteSubnet): Uint8Array {
  const all = router === undefined ? routes : [...routes, { network: 0, prefix: 0, via: router }]
  return Buffer.concat(
    all.flatMap(({ network, prefix, via }) => [
      Uint8Array.of(prefix),
      ipv4ToBytes(network).subarray(0, Math.ceil(prefix / 8)),
      ipv4ToBytes(via),
    ]),
  )
}
