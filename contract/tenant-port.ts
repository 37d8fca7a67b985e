import { z } from 'zod'
import { macAddress, uuid } from './resources.ts'

/** What a site's DHCP says to a card that has a port of a tenant's network, whatever else the site knows of its machine. */

const address = z.string().max(64)
const option = z.object({
  version: z.union([z.literal(4), z.literal(6)]),
  code: z.int().min(1).max(65_535),
  /** In hexadecimal. */
  value: z.string().regex(/^([0-9a-f]{2}){0,512}$/),
})

export const MOST_DHCP_OPTIONS = 16

export const tenantPort = z.object({
  node: uuid,
  mac: macAddress,
  hostname: z.string().max(63),
  domain: z.string().max(255),
  mtu: z.int().min(68).max(65_535),
  /** Of subnets with DHCP. `mode`: how the address is come by in IPv6; null: it is configured at the machine. */
  addresses: z
    .array(
      z.object({
        address,
        cidr: z.string().max(64),
        gateway: address.nullable(),
        dns: z.array(address).max(8),
        routes: z.array(z.object({ destination: z.string().max(64), nexthop: address })).max(32),
        mode: z.enum(['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless']).nullable(),
        /** The site says by router advertisements what the prefix is, and how its addresses are come by. */
        advertised: z.boolean(),
      }),
    )
    .max(16),
  options: z.array(option).max(MOST_DHCP_OPTIONS),
})
export type TenantPort = z.infer<typeof tenantPort>
