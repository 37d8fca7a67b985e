import { UserError } from '../../contract/api/faults.ts'
import { interfaceKinds, type Interfaces, resolveInterfaces } from '../../contract/hardware.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import type { NodeCreation } from './node-input.ts'
import { sealImageSecrets, sealSecrets } from './secrets.ts'
import { sameName } from './instance-name.ts'
import { resolveSite, sealingFor } from './site-of-node.ts'

/** A new node of what a person gave. `minor`: before 1.11 nodes began as available. */
export async function newNode(platform: Platform, given: NodeCreation, minor: number): Promise<Node> {
  const { driver_info: info = {}, uuid: ownUuid, conductor_group: group = '', ...rest } = given
  const uuid = ownUuid ?? platform.ids.uuid()
  const interfaces = chosenInterfaces(given.driver, given)
  checkName('create node with', given.name, minor)
  const site = await resolveSite(platform, group)
  const to = await sealingFor(platform, uuid, site)
  return sameName<Node>(blank, {
    ...blank,
    ...rest,
    ...interfaces,
    uuid,
    conductor_group: site,
    driver_info: sealSecrets(info, {}, to),
    ...(rest.instance_info && { instance_info: sealImageSecrets(rest.instance_info, to) }),
    provision_state: minor < 11 ? 'available' : 'enroll',
    created_at: platform.clock.now().toISOString(),
  })
}

const RELAXED_NAMES = 10
const HOST_LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** Names were names of hosts once (RFC 1123 §2.1). */
export function checkName(doing: string, name: string | null | undefined, minor: number): void {
  if (minor < RELAXED_NAMES && name && !name.split('.').every((label) => HOST_LABEL.test(label)))
    throw new UserError(400, `Cannot ${doing} invalid name '${name}'`)
}

export function chosenInterfaces(driver: string, asked: Partial<Interfaces>): Interfaces {
  const resolved = resolveInterfaces(driver, asked)
  if (typeof resolved === 'string') throw new UserError(400, resolved)
  return resolved
}

const noInterfaces = Object.fromEntries(interfaceKinds.map((kind) => [`${kind}_interface`, null])) as Interfaces

const blank: Omit<Node, 'uuid' | 'driver' | 'conductor_group' | 'provision_state' | 'created_at'> = {
  ...noInterfaces,
  name: null,
  driver_info: {},
  driver_internal_info: {},
  properties: {},
  instance_info: {},
  instance_uuid: null,
  instance_name: null,
  extra: {},
  chassis_uuid: null,
  resource_class: null,
  owner: null,
  lessee: null,
  description: null,
  shard: null,
  parent_node: null,
  network_data: {},
  automated_clean: null,
  maintenance: false,
  maintenance_reason: null,
  disable_power_off: false,
  protected: false,
  protected_reason: null,
  retired: false,
  retired_reason: null,
  boot_mode: null,
  secure_boot: null,
  console_enabled: false,
  traits: [],
  raid_config: {},
  target_raid_config: {},
  power_state: null,
  target_power_state: null,
  target_provision_state: null,
  provision_updated_at: null,
  last_error: null,
  fault: null,
  clean_step: {},
  deploy_step: {},
  service_step: {},
  inspection_started_at: null,
  inspection_finished_at: null,
  allocation_uuid: null,
  health: null,
  updated_at: null,
  version: 1,
  generation: 0,
  operation: null,
  power_operation: null,
  keeper: null,
  deadline: null,
  config_drive: null,
  boot_device: null,
}
