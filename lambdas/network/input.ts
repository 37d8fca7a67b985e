import { isIP } from 'node:net'
import { z } from 'zod'
import { formatAddress, parseAddress } from '../../contract/address.ts'
import { MOST_DHCP_OPTIONS } from '../../contract/tenant-port.ts'
import { encodeOption } from './dhcp-options.ts'

/** What people may write of networks, subnets and ports. Attributes that we don't keep are refused: a setting that is let pass and not
 * done is worse than an error. */

const name = z.string().max(255)
const description = z.string().max(255)
const tenant = z.string().min(1).max(64).optional()
const owner = { project_id: tenant, tenant_id: tenant }
const flag = z.boolean()
const ip = z
  .string()
  .max(64)
  .refine((text) => isIP(text) !== 0 && parseAddress(text) !== undefined, 'not a valid IP address')
  .transform((text) => {
    const address = parseAddress(text)
    return address ? formatAddress(address) : text
  })
const mac = z
  .string()
  .regex(/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/, 'not a valid MAC address')
  .transform((text) => text.toLowerCase())
  .refine((text) => (Number.parseInt(text.slice(0, 2), 16) & 1) === 0, 'a MAC address of a group')
const nullable = <T extends z.ZodType>(one: T) => one.nullish()

const networkType = z.enum(['flat', 'vlan'], 'flat or vlan: no others reach bare metal')
const physicalNetwork = z.string().min(1).max(64)
/** Debian's client sends it as text. */
const vlanId = z.coerce.number().int().min(1).max(4094)
const networkFields = {
  name: name.optional(),
  description: description.optional(),
  admin_state_up: flag.optional(),
  shared: flag.optional(),
  mtu: z.coerce.number().int().min(68).max(65_535).optional(),
  dns_domain: z.string().max(255).optional(),
  port_security_enabled: flag.optional(),
  'router:external': flag.optional(),
  is_default: flag.optional(),
}
export const networkCreation = z.strictObject({
  network: z.strictObject({
    ...networkFields,
    ...owner,
    availability_zone_hints: z
      .array(z.string())
      .max(0, 'a network is at every site that has its physical network')
      .optional(),
    'provider:network_type': networkType.optional(),
    'provider:physical_network': physicalNetwork.optional(),
    'provider:segmentation_id': vlanId.optional(),
  }),
})
export const networkUpdate = z.strictObject({ network: z.strictObject(networkFields) })

const range = z.strictObject({ start: ip, end: ip })
const subnetFields = {
  name: name.optional(),
  description: description.optional(),
  gateway_ip: nullable(ip),
  allocation_pools: z.array(range).max(64).optional(),
  dns_nameservers: z.array(ip).max(8).optional(),
  host_routes: z
    .array(z.strictObject({ destination: z.string().max(64), nexthop: ip }))
    .max(32)
    .optional(),
  enable_dhcp: flag.optional(),
  service_types: z.array(z.string()).max(0, 'subnets of a service are not there').optional(),
  dns_publish_fixed_ip: z.literal(false).optional(),
}
const ipv6Mode = nullable(z.enum(['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless']))
export const subnetCreation = z.strictObject({
  subnet: z.strictObject({
    ...subnetFields,
    ...owner,
    network_id: z.string().min(1).max(64),
    ip_version: z.union([z.literal(4), z.literal(6)]),
    cidr: z.string().min(1).max(64),
    ipv6_ra_mode: ipv6Mode,
    ipv6_address_mode: ipv6Mode,
    segment_id: z.string().min(1).max(64).nullish(),
    subnetpool_id: z.null('there are no subnet pools: give a cidr').optional(),
  }),
})
export const subnetUpdate = z.strictObject({
  subnet: z.strictObject({ ...subnetFields, segment_id: z.string().min(1).max(64).optional() }),
})

const segmentFields = { name: nullable(name), description: nullable(description) }
export const segmentCreation = z.strictObject({
  segment: z.strictObject({
    ...segmentFields,
    network_id: z.string().min(1).max(64),
    network_type: networkType,
    physical_network: physicalNetwork,
    segmentation_id: nullable(vlanId),
  }),
})
export const segmentUpdate = z.strictObject({
  segment: z.strictObject({ name: name.optional(), description: description.optional() }),
})

const fixedIps = z
  .array(z.strictObject({ subnet_id: z.string().max(64).optional(), ip_address: ip.optional() }))
  .max(16)
const option = z
  .strictObject({
    opt_name: z.string().min(1).max(64),
    opt_value: z.string().max(1024),
    ip_version: z.union([z.literal(4), z.literal(6)]).default(4),
  })
  .transform((given) => {
    encodeOption(given) // throws what is wrong with it
    return given
  })
const portFields = {
  name: name.optional(),
  description: description.optional(),
  admin_state_up: flag.optional(),
  device_id: z.string().max(255).optional(),
  device_owner: z.string().max(255).optional(),
  dns_name: z.string().max(63).optional(),
  fixed_ips: fixedIps.optional(),
  mac_address: mac.optional(),
  extra_dhcp_opts: z.array(option).max(MOST_DHCP_OPTIONS).nullish(),
  allowed_address_pairs: z
    .array(z.strictObject({ ip_address: z.string().max(64), mac_address: mac.optional() }))
    .max(64)
    .optional(),
  security_groups: z.array(z.string().max(64)).max(16).optional(),
  port_security_enabled: flag.optional(),
  'binding:host_id': z.string().max(255).nullish(),
  'binding:vnic_type': z.enum(['normal', 'baremetal'], 'normal or baremetal').optional(),
  'binding:profile': z.record(z.string(), z.unknown()).nullish(),
}
export const portCreation = z.strictObject({
  port: z.strictObject({ ...portFields, ...owner, network_id: z.string().min(1).max(64) }),
})
export const portUpdate = z.strictObject({ port: z.strictObject(portFields) })
export type PortInput = z.infer<typeof portUpdate>['port']

const subPort = z.strictObject({
  port_id: z.string().min(1).max(64),
  segmentation_type: z.enum(['vlan', 'inherit'], 'vlan or inherit').optional(),
  segmentation_id: vlanId.optional(),
})
export type SubPortInput = z.infer<typeof subPort>
const trunkFields = { name: name.optional(), description: description.optional(), admin_state_up: flag.optional() }
export const MOST_SUB_PORTS = 32
export const subPorts = z.strictObject({ sub_ports: z.array(subPort).max(MOST_SUB_PORTS) })
export const trunkCreation = z.strictObject({
  trunk: z.strictObject({
    ...trunkFields,
    ...owner,
    port_id: z.string().min(1).max(64),
    sub_ports: subPorts.shape.sub_ports.default([]),
  }),
})
export const trunkUpdate = z.strictObject({ trunk: z.strictObject(trunkFields) })
export const subPortsGone = z.strictObject({
  sub_ports: z.array(z.looseObject({ port_id: z.string().min(1).max(64) })).max(MOST_SUB_PORTS),
})

const groupFields = { description: description.optional(), stateful: flag.optional() }
export const securityGroupCreation = z.strictObject({
  security_group: z.strictObject({ name, ...groupFields, ...owner }),
})
export const securityGroupUpdate = z.strictObject({
  security_group: z.strictObject({ name: name.optional(), ...groupFields }),
})

/** Ports, and of ICMP types and codes, which may be 0. */
const portNumber = nullable(z.coerce.number().int().min(0).max(65_535))
export const ruleCreation = z.strictObject({
  security_group_rule: z
    .strictObject({
      ...owner,
      security_group_id: z.string().min(1).max(64),
      direction: z.enum(['ingress', 'egress']),
      ethertype: z.enum(['IPv4', 'IPv6']).default('IPv4'),
      protocol: nullable(z.union([z.string().regex(/^[a-z0-9-]{1,40}$/i, 'is no protocol'), z.int().min(0).max(255)])),
      port_range_min: portNumber,
      port_range_max: portNumber,
      remote_ip_prefix: nullable(z.string().max(64)),
      remote_group_id: nullable(z.string().max(64)),
      remote_address_group_id: z.null('there are no address groups').optional(),
      description: description.optional(),
    })
    .transform(({ security_group_id, direction, ethertype, project_id: _of, tenant_id: _same, ...given }) => {
      const { protocol, remote_address_group_id: _none, ...rest } = given
      const rule = { ...rest, ...(protocol == null ? {} : { protocol: String(protocol) }) }
      return { security_group_id, direction, ethertype, rule }
    }),
})
