import type {
  Network,
  NetworkPort,
  SecurityGroup,
  SecurityRule,
  Segment,
  Subnet,
  Trunk,
} from '../../contract/network.ts'

/** Networks, subnets and ports as Neutron shows them. Pure. */

interface Stamped {
  created_at: string
  updated_at: string | null
  version: number
  project_id: string
}

const stamps = ({ created_at, updated_at, version, project_id }: Stamped) => ({
  project_id,
  tenant_id: project_id,
  created_at: whole(created_at),
  updated_at: whole(updated_at ?? created_at),
  revision_number: version,
})
const whole = (instant: string): string => `${instant.slice(0, 19)}Z`

export function networkView(network: Network, asAdmin: boolean) {
  const { uuid, name, description, tags, admin_state_up, shared, external, mtu, dns_domain, segment, subnets } = network
  return {
    id: uuid,
    name,
    description,
    status: 'ACTIVE',
    admin_state_up,
    shared,
    'router:external': external,
    is_default: false,
    mtu,
    dns_domain,
    port_security_enabled: network.port_security_enabled,
    subnets,
    availability_zone_hints: [],
    availability_zones: [],
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    qos_policy_id: null,
    tags,
    ...stamps(network),
    ...(asAdmin
      ? {
          'provider:network_type': segment.vlan === null ? 'flat' : 'vlan',
          'provider:physical_network': segment.physical_network,
          'provider:segmentation_id': segment.vlan,
        }
      : {}),
  }
}

export function subnetView(subnet: Subnet) {
  const {
    uuid,
    network_uuid,
    segment_uuid,
    version: _version,
    created_at: _made,
    updated_at: _changed,
    project_id: _of,
    ...shown
  } = subnet
  return {
    id: uuid,
    network_id: network_uuid,
    ...shown,
    dns_publish_fixed_ip: false,
    service_types: [],
    subnetpool_id: null,
    segment_id: segment_uuid ?? null,
    ...stamps(subnet),
  }
}

export function segmentView(segment: Segment) {
  const { uuid, name, description, network_uuid, physical_network, vlan } = segment
  const { project_id: _of, tenant_id: _same, ...stamped } = stamps(segment)
  const carried = { network_type: vlan === null ? 'flat' : 'vlan', physical_network, segmentation_id: vlan }
  return { id: uuid, name, description, network_id: network_uuid, ...carried, ...stamped }
}

/** ACTIVE: a machine has it. A port that is to be bound is DOWN until then, one that is nobody's yet, too. */
export function portView(port: NetworkPort, asAdmin: boolean) {
  const { uuid, network_uuid, binding, bound, fixed_ips, dns_name } = port
  const { version: _version, created_at: _made, updated_at: _changed, project_id: _of, ...rest } = port
  const {
    uuid: _uuid,
    network_uuid: _network,
    binding: _binding,
    bound: _bound,
    fixed_ips: _ips,
    trunk: _trunk,
    service: _use,
    deferred,
    ...shown
  } = rest
  const domain = 'openstacklocal.'
  return {
    id: uuid,
    network_id: network_uuid,
    ...shown,
    status: bound ? 'ACTIVE' : 'DOWN',
    ip_allocation: deferred && fixed_ips.length === 0 ? 'deferred' : fixed_ips.length === 0 ? 'none' : 'immediate',
    fixed_ips: fixed_ips.map(({ subnet_uuid, ip_address }) => ({ subnet_id: subnet_uuid, ip_address })),
    dns_assignment: fixed_ips.map(({ ip_address }) => {
      const hostname = dns_name || `host-${ip_address.replaceAll(/[.:]/g, '-')}`
      return { ip_address, hostname, fqdn: `${hostname}.${domain}` }
    }),
    'binding:vnic_type': binding.vnic_type,
    ...stamps(port),
    ...(asAdmin
      ? {
          'binding:host_id': binding.host_id,
          'binding:profile': binding.profile,
          'binding:vif_type': bound ? 'other' : 'unbound',
          // Nothing at a site filters what a machine sends.
          'binding:vif_details': { port_filter: false },
        }
      : {}),
  }
}

/** As of its parent: without one that a machine has, nothing of it is on a wire. */
export function trunkView(trunk: Trunk, isBound: boolean) {
  const { uuid, name, description, tags, admin_state_up, port_uuid } = trunk
  return {
    id: uuid,
    name,
    description,
    tags,
    admin_state_up,
    port_id: port_uuid,
    status: isBound ? 'ACTIVE' : 'DOWN',
    sub_ports: trunk.sub_ports.map(subPortView),
    ...stamps(trunk),
  }
}

export const subPortView = ({ port_uuid, vlan }: Trunk['sub_ports'][number]) => ({
  port_id: port_uuid,
  segmentation_type: 'vlan',
  segmentation_id: vlan,
})

/** In what is shown of a parent. */
export function trunkDetails(trunk: string, carried: ReadonlyArray<{ port: NetworkPort; vlan: number }>) {
  const ports = carried.map(({ port, vlan }) => ({
    ...subPortView({ port_uuid: port.uuid, vlan }),
    mac_address: port.mac_address,
  }))
  return { trunk_id: trunk, sub_ports: ports }
}

export function securityGroupView(group: SecurityGroup) {
  const { uuid, name, description, tags, stateful, rules } = group
  const security_group_rules = rules.map((rule) => securityRuleView(group, rule))
  return { id: uuid, name, description, tags, stateful, shared: false, security_group_rules, ...stamps(group) }
}

export function securityRuleView(group: SecurityGroup, rule: SecurityRule) {
  const { revision_number: _of, ...stamped } = stamps(group)
  return { ...rule, security_group_id: group.uuid, remote_address_group_id: null, revision_number: 0, ...stamped }
}
