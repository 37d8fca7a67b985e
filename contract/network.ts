import type { IpVersion } from './address.ts'

/** The words of tenants' networks, as the table keeps them. Names are Neutron's, but for `uuid` and who is pointed to. */

interface Kept {
  uuid: string
  name: string
  project_id: string
  description: string
  tags: string[]
  created_at: string
  updated_at: string | null
  version: number
}

/** `segment`: how it is carried on the wires of sites: untagged on a physical network, or as a VLAN of it. `closed`: it is being deleted, and
 * nothing is put on it any more. */
export interface Network extends Kept {
  admin_state_up: boolean
  shared: boolean
  external: boolean
  mtu: number
  dns_domain: string
  port_security_enabled: boolean
  segment: { physical_network: string; vlan: number | null; name?: string; description?: string }
  /** Further ones, at other sites. */
  segments?: string[]
  subnets: string[]
  closed: boolean
}

/** `physical_network`: a site's name, or what cards there say that they are on. */
export interface Segment extends Kept {
  network_uuid: string
  physical_network: string
  vlan: number | null
}

export interface Range {
  start: string
  end: string
}

export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'

export interface Subnet extends Kept {
  network_uuid: string
  segment_uuid?: string
  ip_version: IpVersion
  cidr: string
  gateway_ip: string | null
  allocation_pools: Range[]
  dns_nameservers: string[]
  host_routes: Array<{ destination: string; nexthop: string }>
  enable_dhcp: boolean
  ipv6_ra_mode: Ipv6Mode | null
  ipv6_address_mode: Ipv6Mode | null
}

export interface FixedIp {
  subnet_uuid: string
  ip_address: string
}

/** A port that carries others: theirs are tagged frames of its card, its own are untagged. */
export interface Trunk extends Kept {
  admin_state_up: boolean
  port_uuid: string
  sub_ports: Array<{ port_uuid: string; vlan: number }>
}

/** `bound`: the node whose card it is, which has its MAC. `trunk`: the one whose parent it is, or that carries it as a VLAN. */
export interface NetworkPort extends Kept {
  network_uuid: string
  mac_address: string
  fixed_ips: FixedIp[]
  admin_state_up: boolean
  device_id: string
  device_owner: string
  dns_name: string
  extra_dhcp_opts: Array<{ opt_name: string; opt_value: string; ip_version: IpVersion }>
  allowed_address_pairs: Array<{ ip_address: string; mac_address?: string | undefined }>
  security_groups: string[]
  port_security_enabled: boolean
  binding: { host_id: string; vnic_type: string; profile: Record<string, unknown> }
  bound: { node: string; port: string } | null
  trunk?: { uuid: string; vlan: number | null } | undefined
  /** It has addresses only while it is bound: those of the segment that its machine is on. */
  deferred?: boolean
  /** What for a machine has it while a ramdisk runs: no tenant's. */
  service?: 'provisioning' | 'cleaning' | 'rescuing' | 'inspection' | 'servicing'
}

export interface SecurityRule {
  id: string
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  protocol: string | null
  port_range_min: number | null
  port_range_max: number | null
  remote_ip_prefix: string | null
  remote_group_id: string | null
  description: string
}

/** Kept, and enforced by nothing. */
export interface SecurityGroup extends Kept {
  stateful: boolean
  rules: SecurityRule[]
}
