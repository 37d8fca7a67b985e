/** Microversions (Ironic's, 2026.2). A field, resource or verb exists for a request from the minor on that is named here. */

export const MINIMUM = 1
export const MAXIMUM = 115
export const versionText = (minor: number): string => `1.${minor}`

export const versionHeaders = {
  version: 'x-openstack-ironic-api-version',
  minimum: 'x-openstack-ironic-api-minimum-version',
  maximum: 'x-openstack-ironic-api-maximum-version',
  /** The form that all of OpenStack shares: `baremetal 1.N`. */
  generic: 'openstack-api-version',
} as const

/** The minor that a request is served at, or undefined where it asks for one that we lack. No header means the oldest. */
export function negotiate(own: string | undefined, generic: string | undefined): number | undefined {
  const asked = own ?? forBaremetal(generic)
  if (asked === undefined) return MINIMUM
  const text = asked.trim().toLowerCase()
  if (text === 'latest') return MAXIMUM
  const minor = /^1\.(\d{1,4})$/.exec(text)?.[1]
  if (minor === undefined) return undefined
  return Number(minor) >= MINIMUM && Number(minor) <= MAXIMUM ? Number(minor) : undefined
}

function forBaremetal(header: string | undefined): string | undefined {
  const ours = header
    ?.split(',')
    .map((each) => each.trim())
    .find((each) => /^baremetal\s/i.test(each))
  return ours?.split(/\s+/)[1]
}

/** Fields that are not here exist since 1.1. */
export const nodeFieldSince: Readonly<Record<string, number>> = {
  driver_internal_info: 3,
  name: 5,
  inspection_finished_at: 6,
  inspection_started_at: 6,
  clean_step: 7,
  raid_config: 12,
  target_raid_config: 12,
  states: 14,
  network_interface: 20,
  resource_class: 21,
  portgroups: 24,
  boot_interface: 31,
  console_interface: 31,
  deploy_interface: 31,
  inspect_interface: 31,
  management_interface: 31,
  power_interface: 31,
  raid_interface: 31,
  vendor_interface: 31,
  volume: 32,
  storage_interface: 33,
  traits: 37,
  rescue_interface: 38,
  bios_interface: 40,
  fault: 42,
  deploy_step: 44,
  conductor_group: 46,
  automated_clean: 47,
  protected: 48,
  protected_reason: 48,
  conductor: 49,
  owner: 50,
  description: 51,
  allocation_uuid: 52,
  retired: 61,
  retired_reason: 61,
  lessee: 65,
  network_data: 66,
  boot_mode: 75,
  secure_boot: 75,
  shard: 82,
  parent_node: 83,
  firmware_interface: 86,
  service_step: 87,
  disable_power_off: 95,
  instance_name: 104,
  health: 109,
}

export const portFieldSince: Readonly<Record<string, number>> = {
  internal_info: 18,
  local_link_connection: 19,
  pxe_enabled: 19,
  portgroup_uuid: 24,
  physical_network: 34,
  is_smartnic: 53,
  name: 88,
  node_ident: 94,
  description: 97,
  vendor: 100,
  category: 101,
  available_for_dynamic_portgroup: 111,
}

/** Filters of the node list that are newer than the field of the same name, or have no such field. */
export const nodeFilterSince: Readonly<Record<string, number>> = {
  provision_state: 9,
  driver: 16,
  description_contains: 51,
  project: 65,
  sharded: 82,
  include_children: 83,
  detail: 43,
}

export const resourceSince = {
  portgroups: 23,
  volume: 32,
  conductors: 49,
  allocations: 52,
  events: 54,
  deploy_templates: 55,
  history: 78,
  shards: 82,
  runbooks: 92,
  inspection_rules: 96,
} as const

export const verbSince: Readonly<Record<string, number>> = {
  manage: 4,
  provide: 4,
  inspect: 6,
  abort: 13,
  clean: 15,
  adopt: 17,
  rescue: 38,
  unrescue: 38,
  deploy: 73,
  undeploy: 73,
  unhold: 85,
  service: 87,
}

export function exists(table: Readonly<Record<string, number>>, name: string, minor: number): boolean {
  return minor >= (table[name] ?? MINIMUM)
}
