/** What exists from which microversion on (Ironic's, 2026.2): the one table that requests are read by, replies are cut by, refusals
 * follow from, and docs/api-versions.md is made of. What isn't named exists since 1.1. */

type Since = Readonly<Record<string, number>>

/** Fields of bodies, replies, `fields=` and patches, by resource. Where a request names a newer one: 406. */
export const fieldSince = {
  nodes: {
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
  },
  ports: {
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
  },
  portgroups: { ports: 24, mode: 26, properties: 26, physical_network: 102, category: 103, dynamic_portgroup: 111 },
  chassis: {},
  allocations: { owner: 60 },
  deploy_templates: { description: 112 },
  runbooks: { description: 112, traits: 112 },
  inspection_rules: {},
  connectors: {},
  targets: {},
  /** Ours: there for whoever asks. */
  webhooks: {},
  history: { project: 113, state: 115, target_provision_state: 115, duration_seconds: 115 },
  bios: {
    allowable_values: 74,
    attribute_type: 74,
    lower_bound: 74,
    max_length: 74,
    min_length: 74,
    read_only: 74,
    reset_required: 74,
    unique: 74,
    upper_bound: 74,
  },
  firmware: { vendor: 114, model: 114, serial_number: 114 },
} as const satisfies Record<string, Since>
export type FieldTable = keyof typeof fieldSince

/** Parameters of lists that are newer than the field of the same name, or have no such field. Below: 406. */
export const parameterSince = {
  nodes: {
    fields: 8,
    provision_state: 9,
    driver: 16,
    detail: 43,
    description_contains: 1,
    project: 1,
    retired: 1,
    sharded: 82,
    include_children: 83,
  },
  ports: { fields: 8, portgroup: 24, detail: 43, shard: 82, description_contains: 97, conductor_groups: 99 },
  portgroups: { detail: 43, conductor_groups: 99, shard: 106 },
  chassis: { fields: 8, detail: 43 },
  allocations: {},
  deploy_templates: {},
  runbooks: {},
  inspection_rules: {},
  connectors: {},
  targets: {},
  webhooks: {},
  drivers: { type: 30, fields: 77, detail: 30 },
} as const satisfies Record<string, Since>
export type ParameterTable = keyof typeof parameterSince

/** Verbs of PUT …/states/provision. Below: 406. */
export const verbSince: Since = {
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

interface RouteSince {
  since: number
  /** What is answered below, by method; of others 404. */
  below?: Readonly<Record<string, number>>
}
const readsOnly = { POST: 405, PUT: 405, PATCH: 405, DELETE: 405 }

/** Paths, with all that is below them; the longest that fits holds. */
export const routeSince = {
  '/v1/nodes/:ident/states/raid': { since: 12, below: { PUT: 406 } },
  '/v1/nodes/:ident/states/boot_mode': { since: 76 },
  '/v1/nodes/:ident/states/secure_boot': { since: 76 },
  '/v1/nodes/:ident/management/inject_nmi': { since: 29 },
  '/v1/nodes/:ident/management/indicators': { since: 63 },
  '/v1/nodes/:ident/portgroups': { since: 24 },
  '/v1/nodes/:ident/vifs': { since: 28 },
  '/v1/nodes/:ident/volume': { since: 32 },
  '/v1/nodes/:ident/traits': { since: 37, below: { GET: 406, PUT: 405, DELETE: 404 } },
  '/v1/nodes/:ident/bios': { since: 40 },
  '/v1/nodes/:ident/allocation': { since: 52 },
  '/v1/nodes/:ident/history': { since: 78 },
  '/v1/nodes/:ident/inventory': { since: 81 },
  '/v1/nodes/:ident/children': { since: 83 },
  '/v1/nodes/:ident/firmware': { since: 86 },
  '/v1/nodes/:ident/vmedia': { since: 89 },
  'GET /v1/nodes/:ident/vmedia': { since: 93 },
  '/v1/drivers/:name/raid/logical_disk_properties': { since: 12, below: { GET: 406 } },
  '/v1/lookup': { since: 22 },
  '/v1/heartbeat': { since: 22 },
  '/v1/portgroups': { since: 23 },
  '/v1/portgroups/:portgroup/ports': { since: 24 },
  '/v1/volume': { since: 32 },
  '/v1/conductors': { since: 49 },
  '/v1/allocations': { since: 52, below: readsOnly },
  'PATCH /v1/allocations/:allocation': { since: 57, below: { PATCH: 405 } },
  '/v1/events': { since: 54 },
  '/v1/deploy_templates': { since: 55, below: readsOnly },
  '/v1/shards': { since: 82 },
  '/v1/continue_inspection': { since: 84 },
  '/v1/runbooks': { since: 92, below: readsOnly },
  '/v1/runbooks/:runbook/traits': { since: 112 },
  '/v1/inspection_rules': { since: 96, below: readsOnly },
} as const satisfies Record<string, RouteSince>

/** What a route needs, and the status below that. A line with a method comes before one of a longer path. */
export function requiredOf(method: string, path: string): Required | undefined {
  const key = `${method} ${path}`
  if (!known.has(key)) known.set(key, lookUp(method, path))
  return known.get(key)
}

interface Required {
  since: number
  below: number
}

/** By method and path of a route, of which there are as many as the API has. */
const known = new Map<string, Required | undefined>()

function lookUp(method: string, path: string): Required | undefined {
  const entries: Array<[string, RouteSince]> = Object.entries(routeSince)
  const covers = (prefix: string, whole: string): boolean => whole === prefix || whole.startsWith(`${prefix}/`)
  const exact = entries.find(([line]) => line === `${method} ${path}`)
  const fitting = entries.filter(([line]) => covers(line, path)).sort(([a], [b]) => b.length - a.length)[0]
  const found = (exact ?? fitting)?.[1]
  return found && { since: found.since, below: found.below?.[method] ?? 404 }
}
