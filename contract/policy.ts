import type { Caller, StandardRole } from './identity.ts'

/** Who may do what: the defaults of Ironic's secure RBAC (reference §1.20), as one table. The least role is named: those above have
 * it by implication. */
export interface Who {
  /** On the system as a whole. */
  system?: StandardRole
  /** In the project that owns the node (of an allocation: that owns it). */
  owner?: StandardRole
  /** In the project that leases the node. */
  lessee?: StandardRole
  /** In whatever project. */
  any?: StandardRole
  /** Where the role `service`, which programs have and no other implies, is enough. */
  service?: ReadonlyArray<'system' | 'services' | 'owner' | 'any'>
}

/** `services` is the project called service. */
const ALL_SERVICES = ['system', 'services', 'owner'] as const
const SYSTEM_ADMIN: Who = { system: 'admin' }
const SYSTEM_MEMBER: Who = { system: 'member', service: ['services'] }
const SYSTEM_READER: Who = { system: 'reader', service: ['system', 'services'] }
const ANY_READER: Who = { system: 'reader', any: 'reader', service: ['any'] }
const PROJECT_READER: Who = { system: 'reader', owner: 'reader', lessee: 'reader', service: ALL_SERVICES }
const PROJECT_MEMBER: Who = { system: 'member', owner: 'member', lessee: 'member', service: ALL_SERVICES }
const OWNER_READER: Who = { system: 'reader', owner: 'reader', service: ALL_SERVICES }
const OWNER_MEMBER: Who = { system: 'member', owner: 'member', service: ALL_SERVICES }
const OWNER_MANAGER: Who = { system: 'member', owner: 'manager', service: ALL_SERVICES }
const OWNER_MANAGER_OR_SYSTEM_ADMIN: Who = { system: 'admin', owner: 'manager', service: ['system', 'owner'] }
const OWNER_MEMBER_OR_LESSEE_MANAGER: Who = {
  system: 'member',
  owner: 'member',
  lessee: 'manager',
  service: ALL_SERVICES,
}
const MANAGER_OF_EITHER: Who = { system: 'member', owner: 'manager', lessee: 'manager', service: ALL_SERVICES }

export const policy = {
  'baremetal:node:create': { system: 'admin', service: ['system'] },
  'baremetal:node:create:self_owned_node': { system: 'admin', any: 'admin', service: ['any'] },
  'baremetal:node:list': ANY_READER,
  'baremetal:node:list_all': SYSTEM_READER,
  'baremetal:node:get': PROJECT_READER,
  'baremetal:node:get:filter_threshold': SYSTEM_READER,
  'baremetal:node:get:last_error': OWNER_READER,
  'baremetal:node:get:reservation': OWNER_READER,
  'baremetal:node:get:driver_internal_info': OWNER_READER,
  'baremetal:node:get:driver_info': OWNER_READER,
  'baremetal:node:update': PROJECT_MEMBER,
  'baremetal:node:update_extra': PROJECT_MEMBER,
  'baremetal:node:update_instance_info': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:update_owner_provisioned': SYSTEM_ADMIN,
  'baremetal:node:update:driver_info': OWNER_MEMBER,
  'baremetal:node:update:properties': OWNER_MEMBER,
  'baremetal:node:update:chassis_uuid': SYSTEM_ADMIN,
  'baremetal:node:update:instance_uuid': OWNER_MEMBER,
  'baremetal:node:update:lessee': OWNER_MEMBER,
  'baremetal:node:update:owner': SYSTEM_MEMBER,
  'baremetal:node:update:driver_interfaces': OWNER_MANAGER,
  'baremetal:node:update:network_data': OWNER_MEMBER,
  'baremetal:node:update:conductor_group': SYSTEM_MEMBER,
  'baremetal:node:update:name': OWNER_MEMBER,
  'baremetal:node:update:retired': OWNER_MEMBER,
  'baremetal:node:update:shard': SYSTEM_ADMIN,
  'baremetal:node:update:parent_node': SYSTEM_MEMBER,
  'baremetal:node:disable_cleaning': SYSTEM_ADMIN,
  'baremetal:node:delete': SYSTEM_ADMIN,
  'baremetal:node:delete:self_owned_node': { owner: 'admin' },
  'baremetal:node:validate': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:set_maintenance': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:clear_maintenance': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:get_boot_device': OWNER_MANAGER,
  'baremetal:node:set_boot_device': OWNER_MANAGER,
  'baremetal:node:get_indicator_state': PROJECT_READER,
  'baremetal:node:set_indicator_state': OWNER_MEMBER,
  'baremetal:node:inject_nmi': OWNER_MANAGER,
  'baremetal:node:get_states': PROJECT_READER,
  'baremetal:node:set_power_state': PROJECT_MEMBER,
  'baremetal:node:set_boot_mode': PROJECT_MEMBER,
  'baremetal:node:set_secure_boot': PROJECT_MEMBER,
  'baremetal:node:set_provision_state': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:set_raid_state': OWNER_MEMBER,
  'baremetal:node:get_console': OWNER_MEMBER,
  'baremetal:node:set_console_state': OWNER_MEMBER,
  'baremetal:node:vif:list': PROJECT_READER,
  'baremetal:node:vif:attach': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:vif:detach': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:node:traits:list': PROJECT_READER,
  'baremetal:node:traits:set': OWNER_MANAGER,
  'baremetal:node:traits:delete': OWNER_MANAGER,
  'baremetal:node:bios:get': PROJECT_READER,
  'baremetal:node:firmware:get': PROJECT_READER,
  'baremetal:node:history:get': OWNER_READER,
  'baremetal:node:inventory:get': OWNER_READER,
  'baremetal:node:vmedia:attach': PROJECT_MEMBER,
  'baremetal:node:vmedia:detach': PROJECT_MEMBER,
  'baremetal:node:vendor_passthru': SYSTEM_ADMIN,
  'baremetal:shards:get': SYSTEM_READER,
  'baremetal:port:get': PROJECT_READER,
  'baremetal:port:list': ANY_READER,
  'baremetal:port:list_all': SYSTEM_READER,
  'baremetal:port:create': OWNER_MANAGER_OR_SYSTEM_ADMIN,
  'baremetal:port:delete': OWNER_MANAGER_OR_SYSTEM_ADMIN,
  'baremetal:port:update': OWNER_MANAGER,
  'baremetal:portgroup:get': PROJECT_READER,
  'baremetal:portgroup:list': ANY_READER,
  'baremetal:portgroup:list_all': SYSTEM_READER,
  'baremetal:portgroup:create': OWNER_MANAGER_OR_SYSTEM_ADMIN,
  'baremetal:portgroup:delete': OWNER_MANAGER_OR_SYSTEM_ADMIN,
  'baremetal:portgroup:update': OWNER_MANAGER,
  'baremetal:chassis:get': SYSTEM_READER,
  'baremetal:chassis:create': SYSTEM_ADMIN,
  'baremetal:chassis:update': SYSTEM_MEMBER,
  'baremetal:chassis:delete': SYSTEM_ADMIN,
  'baremetal:driver:get': SYSTEM_READER,
  'baremetal:driver:get_properties': SYSTEM_READER,
  'baremetal:driver:get_raid_logical_disk_properties': SYSTEM_READER,
  'baremetal:driver:vendor_passthru': SYSTEM_ADMIN,
  'baremetal:volume:list': ANY_READER,
  'baremetal:volume:list_all': SYSTEM_READER,
  'baremetal:volume:get': PROJECT_READER,
  'baremetal:volume:create': MANAGER_OF_EITHER,
  'baremetal:volume:delete': MANAGER_OF_EITHER,
  'baremetal:volume:update': OWNER_MEMBER_OR_LESSEE_MANAGER,
  'baremetal:volume:view_target_properties': { system: 'reader', any: 'admin', service: ['system', 'services'] },
  'baremetal:conductor:get': SYSTEM_READER,
  'baremetal:allocation:get': { system: 'reader', owner: 'reader', service: ['system', 'services'] },
  'baremetal:allocation:list': ANY_READER,
  'baremetal:allocation:list_all': SYSTEM_READER,
  'baremetal:allocation:create': { system: 'member', any: 'member', service: ['services'] },
  'baremetal:allocation:create_restricted': SYSTEM_MEMBER,
  'baremetal:allocation:delete': { system: 'member', owner: 'member', service: ['services'] },
  'baremetal:allocation:update': { system: 'member', owner: 'member', service: ['services'] },
  'baremetal:events:post': SYSTEM_ADMIN,
  'baremetal:deploy_template:get': SYSTEM_READER,
  'baremetal:deploy_template:create': SYSTEM_ADMIN,
  'baremetal:deploy_template:update': SYSTEM_ADMIN,
  'baremetal:deploy_template:delete': SYSTEM_ADMIN,
  'baremetal:runbook:get': { system: 'reader', owner: 'reader', service: ['system', 'services'] },
  'baremetal:runbook:list': ANY_READER,
  'baremetal:runbook:list_all': SYSTEM_READER,
  'baremetal:runbook:create': { system: 'member', any: 'manager', service: ['services'] },
  'baremetal:runbook:update': { system: 'member', owner: 'manager', service: ['services'] },
  'baremetal:runbook:update_public': SYSTEM_ADMIN,
  'baremetal:runbook:delete': { system: 'member', owner: 'manager', service: ['services'] },
  'baremetal:inspection_rule:get': SYSTEM_READER,
  'baremetal:inspection_rule:create': SYSTEM_ADMIN,
  'baremetal:inspection_rule:update': SYSTEM_ADMIN,
  'baremetal:inspection_rule:delete': SYSTEM_ADMIN,

  // Of resources that only this product has.
  'bloomery:site:get': SYSTEM_READER,
  'bloomery:site:create': SYSTEM_ADMIN,
  'bloomery:site:enrol': SYSTEM_ADMIN,
  'bloomery:appliance:update': SYSTEM_ADMIN,
  'bloomery:appliance:delete': SYSTEM_ADMIN,
  'bloomery:image:get': ANY_READER,
  'bloomery:image:create': SYSTEM_MEMBER,
  'bloomery:image:delete': SYSTEM_MEMBER,
  'bloomery:image:prefetch': SYSTEM_MEMBER,
  'bloomery:webhook:list': ANY_READER,
  'bloomery:webhook:list_all': SYSTEM_READER,
  'bloomery:webhook:get': { system: 'reader', owner: 'reader' },
  'bloomery:webhook:create': { system: 'admin', any: 'manager' },
  'bloomery:webhook:update': { system: 'admin', owner: 'manager' },
  'bloomery:webhook:delete': { system: 'admin', owner: 'manager' },
} as const satisfies Record<string, Who>
export type Rule = keyof typeof policy

/** Whom a node belongs to, and who has it for the time being: projects. */
export interface Belonging {
  owner: string | null
  lessee: string | null
}

const SERVICE_PROJECT = 'service'

export function allowed(rule: Rule, caller: Caller, of?: Belonging): boolean {
  const who: Who = policy[rule]
  const { roles, project, system } = caller
  const has = (role: StandardRole | undefined): boolean => role !== undefined && roles.has(role)
  if (system && has(who.system)) return true
  if (project === null && !system) return false
  if (has(who.any)) return true
  const owns = project !== null && of?.owner === project.id
  const leases = project !== null && of?.lessee === project.id
  if ((owns && has(who.owner)) || (leases && has(who.lessee))) return true
  if (!has('service')) return false
  const places = { system, services: project?.name === SERVICE_PROJECT, owner: owns, any: true }
  return who.service?.some((place) => places[place]) ?? false
}

/** By attribute that a patch touches, the rule it needs; those without one need `baremetal:node:update`. */
const attributeRules: Readonly<Record<string, Rule>> = {
  instance_info: 'baremetal:node:update_instance_info',
  extra: 'baremetal:node:update_extra',
  driver_info: 'baremetal:node:update:driver_info',
  properties: 'baremetal:node:update:properties',
  chassis_uuid: 'baremetal:node:update:chassis_uuid',
  instance_uuid: 'baremetal:node:update:instance_uuid',
  instance_name: 'baremetal:node:update_instance_info',
  lessee: 'baremetal:node:update:lessee',
  owner: 'baremetal:node:update:owner',
  driver: 'baremetal:node:update:driver_interfaces',
  network_data: 'baremetal:node:update:network_data',
  conductor_group: 'baremetal:node:update:conductor_group',
  name: 'baremetal:node:update:name',
  retired: 'baremetal:node:update:retired',
  retired_reason: 'baremetal:node:update:retired',
  shard: 'baremetal:node:update:shard',
  parent_node: 'baremetal:node:update:parent_node',
}

/** What a patch of a node needs, given the attributes it touches. (To set `automated_clean` to false takes more.) */
export function patchRules(touched: Iterable<string>): Set<Rule> {
  const rules = new Set<Rule>()
  for (const attribute of touched) {
    if (attribute.endsWith('_interface')) rules.add('baremetal:node:update:driver_interfaces')
    else rules.add(attributeRules[attribute] ?? 'baremetal:node:update')
  }
  return rules.size > 0 ? rules : rules.add('baremetal:node:update')
}
