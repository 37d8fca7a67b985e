/** Since which minor version each field of each resource is to be seen; written down here anew from the reference (§1.2.1, §1.6–1.16),
 * so that the product's table is held against something. */

type Fields = Readonly<Record<string, number>>

/** Space-separated names, all since the same version. */
const since = (minor: number, names: string): Fields =>
  Object.fromEntries(names.split(' ').map((name) => [name, minor]))
const interfaces = (minor: number, kinds: string): Fields =>
  since(
    minor,
    kinds
      .split(' ')
      .map((kind) => `${kind}_interface`)
      .join(' '),
  )
const always = 'uuid links created_at updated_at'

export const firstVersions: Readonly<Record<string, Fields>> = {
  node: {
    ...since(1, `${always} driver driver_info properties instance_info instance_uuid extra chassis_uuid ports`),
    ...since(1, 'maintenance maintenance_reason console_enabled reservation last_error power_state target_power_state'),
    ...since(1, 'provision_state target_provision_state provision_updated_at'),
    ...since(3, 'driver_internal_info'),
    ...since(5, 'name'),
    ...since(6, 'inspection_started_at inspection_finished_at'),
    ...since(7, 'clean_step'),
    ...since(12, 'raid_config target_raid_config'),
    ...since(14, 'states'),
    ...interfaces(20, 'network'),
    ...since(21, 'resource_class'),
    ...since(24, 'portgroups'),
    ...interfaces(31, 'boot console deploy inspect management power raid vendor'),
    ...since(32, 'volume'),
    ...interfaces(33, 'storage'),
    ...since(37, 'traits'),
    ...interfaces(38, 'rescue'),
    ...interfaces(40, 'bios'),
    ...since(42, 'fault'),
    ...since(44, 'deploy_step'),
    ...since(46, 'conductor_group'),
    ...since(47, 'automated_clean'),
    ...since(48, 'protected protected_reason'),
    ...since(49, 'conductor'),
    ...since(50, 'owner'),
    ...since(51, 'description'),
    ...since(52, 'allocation_uuid'),
    ...since(61, 'retired retired_reason'),
    ...since(65, 'lessee'),
    ...since(66, 'network_data'),
    ...since(75, 'boot_mode secure_boot'),
    ...since(82, 'shard'),
    ...since(83, 'parent_node'),
    ...interfaces(86, 'firmware'),
    ...since(87, 'service_step'),
    ...since(95, 'disable_power_off'),
    ...since(104, 'instance_name'),
    ...since(109, 'health'),
  },
  'states of a node': {
    ...since(1, 'console_enabled last_error power_state provision_state target_power_state target_provision_state'),
    ...since(1, 'provision_updated_at'),
    ...since(12, 'raid_config target_raid_config'),
    ...since(75, 'boot_mode secure_boot'),
  },
  port: {
    ...since(1, `${always} address node_uuid extra`),
    ...since(18, 'internal_info'),
    ...since(19, 'local_link_connection pxe_enabled'),
    ...since(24, 'portgroup_uuid'),
    ...since(34, 'physical_network'),
    ...since(53, 'is_smartnic'),
    ...since(88, 'name'),
    ...since(97, 'description'),
    ...since(100, 'vendor'),
    ...since(101, 'category'),
    ...since(111, 'available_for_dynamic_portgroup'),
  },
  portgroup: {
    ...since(23, `${always} name node_uuid address standalone_ports_supported extra internal_info`),
    ...since(24, 'ports'),
    ...since(26, 'mode properties'),
    ...since(102, 'physical_network'),
    ...since(103, 'category'),
    ...since(111, 'dynamic_portgroup'),
  },
  chassis: since(1, `${always} description extra nodes`),
  allocation: {
    ...since(52, `${always} name node_uuid state last_error resource_class traits candidate_nodes extra`),
    ...since(60, 'owner'),
  },
  'deploy template': { ...since(55, `${always} name steps extra`), ...since(112, 'description') },
  runbook: {
    ...since(92, `${always} name steps disable_ramdisk extra public owner`),
    ...since(112, 'description traits'),
  },
  'inspection rule': since(96, `${always} description phase priority sensitive actions conditions`),
  'volume connector': since(32, `${always} node_uuid type connector_id extra`),
  'volume target': since(32, `${always} node_uuid volume_type volume_id boot_index properties extra`),
  conductor: since(49, 'hostname conductor_group alive drivers created_at updated_at links'),
  'entry of history': {
    ...since(78, 'uuid created_at severity event event_type conductor user links'),
    ...since(113, 'project'),
    ...since(115, 'state target_provision_state duration_seconds'),
  },
  'BIOS setting': {
    ...since(40, 'name value created_at updated_at links'),
    ...since(74, 'allowable_values attribute_type lower_bound max_length min_length read_only reset_required unique'),
    ...since(74, 'upper_bound'),
  },
  'firmware component': {
    ...since(86, 'component initial_version current_version last_version_flashed created_at updated_at'),
    ...since(114, 'vendor model serial_number'),
  },
}

/** What is written into fields that came later than their resource; the rest is read only. */
export const samples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  node: {
    name: 'renamed',
    network_interface: 'noop',
    resource_class: 'big',
    ...Object.fromEntries(
      'bios boot console deploy firmware inspect management power raid rescue storage'
        .split(' ')
        .map((kind) => [`${kind}_interface`, 'fake']),
    ),
    vendor_interface: 'no-vendor',
    conductor_group: 'berlin',
    automated_clean: true,
    owner: 'somebody',
    description: 'words',
    retired: true,
    lessee: 'else',
    network_data: { links: [], networks: [], services: [] },
    shard: 'west',
    disable_power_off: true,
    instance_name: 'server',
  },
  port: {
    local_link_connection: { switch_id: '52:54:00:00:00:77', port_id: 'p1' },
    pxe_enabled: false,
    physical_network: 'west',
    name: 'eth0',
    description: 'words',
    vendor: 'acme',
    category: 'hypercube',
    available_for_dynamic_portgroup: false,
  },
  portgroup: { mode: '802.3ad', properties: { miimon: '100' }, physical_network: 'west', category: 'hypercube' },
  'deploy template': { description: 'words' },
  runbook: { description: 'words' },
}
