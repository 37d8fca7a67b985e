import { UserError } from '../../contract/api/faults.ts'
import { applyPatch, type PatchOperation, patchedRoots } from '../../contract/api/patch.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { maskSecrets, shownInstanceInfo } from '../../contract/api/views.ts'
import { interfaceKinds, type Interfaces } from '../../contract/hardware.ts'
import { reconfigurable, updatable } from '../../contract/provision-sets.ts'
import type { Node } from '../../contract/resources.ts'
import { isSealed, MASK } from '../../contract/seal.ts'
import { overruled } from '../conductor/rotation.ts'
import type { Platform } from '../platform.ts'
import { sameName } from './instance-name.ts'
import { checkName, chosenInterfaces } from './node-create.ts'
import { type NodeUpdate, nodeUpdate, updateDefaults } from './node-input.ts'
import { keepMasked, sealImageSecrets, sealSecrets } from './secrets.ts'
import { resolveSite, sealingFor } from './site-of-node.ts'

export interface Update {
  patch: PatchOperation[]
  minor: number
  resetInterfaces: boolean
}

/** The node after a patch; UserError where a rule of Ironic's forbids it (reference §1.6.2). */
export async function updatedNode(platform: Platform, node: Node, update: Update): Promise<Node> {
  const touched = patchedRoots(update.patch)
  checkState(node, update, touched)
  const wanted = parseAs(
    'patch',
    nodeUpdate,
    applyPatch(writable(node), update.patch, { defaults: updateDefaults, escapes: update.minor >= 98 }),
  )
  if (wanted.name !== node.name) checkName('change name to', wanted.name, update.minor)
  checkRules(node, wanted)
  const site = await resolveSite(platform, wanted.conductor_group ?? '')
  const info = wanted.driver_info ?? {}
  if (site !== node.conductor_group) refuseOldSecrets(info, site)
  const to = await sealingFor(platform, node.uuid, site)
  const { instance_info: instance, config_drive } = instanceAfter(node, wanted)
  const interfaces = interfacesAfter(node, wanted, update, touched)
  const after = sameName(node, {
    ...node,
    ...wanted,
    ...interfaces,
    driver_internal_info: chosenByHand(node, interfaces),
    ...clearedReasons(node, wanted),
    conductor_group: site,
    instance_info: sealImageSecrets(instance, to),
    config_drive,
    driver_info: sealSecrets(info, node.driver_info, to),
  })
  return overruled(node, after)
}

/** What a patch applies to: what may be patched, secrets masked. */
function writable(node: Node): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const field of Object.keys(updateDefaults)) shown[field] = node[field as keyof Node]
  return { ...shown, driver_info: maskSecrets(node.driver_info), instance_info: shownInstanceInfo(node) }
}

/** Where the config drive that is shown was left alone, it stays; otherwise what instance_info says counts at the next deploy. */
function instanceAfter(
  node: Node,
  { instance_info: wanted }: NodeUpdate,
): Pick<Node, 'instance_info' | 'config_drive'> {
  const { configdrive, ...rest } = wanted ?? {}
  const stays = configdrive === MASK && node.config_drive !== null
  const given = configdrive === undefined || stays ? rest : { ...rest, configdrive }
  return { instance_info: keepMasked(given, node.instance_info), config_drive: stays ? node.config_drive : null }
}

function checkState(node: Node, { patch, minor, resetInterfaces }: Update, touched: Set<string>): void {
  const onlyLeaves = patch.every(({ op, path }) => op === 'remove' && path === '/instance_uuid')
  const moving = node.target_provision_state !== null && !updatable.has(node.provision_state)
  if (moving && !(node.maintenance && onlyLeaves))
    throw new UserError(
      409,
      `Node ${node.uuid} can not be updated while a state transition is in progress (${node.provision_state}).`,
    )
  if (node.provision_state === 'inspecting' && minor >= 39)
    throw new UserError(409, `Node ${node.uuid} can not be updated while it is inspecting.`)
  if (resetInterfaces && !touched.has('driver'))
    throw new UserError(400, "The reset_interfaces parameter can only be used when changing the node's driver.")
}

function checkRules(node: Node, wanted: NodeUpdate): void {
  const free = reconfigurable.has(node.provision_state) || node.maintenance
  const fixed = ['driver', 'resource_class', ...interfaceKinds.map((kind) => `${kind}_interface`)] as const
  for (const field of fixed as ReadonlyArray<keyof NodeUpdate & keyof Node>)
    if (wanted[field] !== node[field] && !free)
      throw new UserError(
        409,
        `Node ${node.uuid} can not have ${field} updated unless it is in one of allowed (${[...reconfigurable].join(', ')}) states${field === 'resource_class' ? '' : ' or in maintenance mode'}.`,
      )
  if (node.instance_uuid !== null && wanted.instance_uuid !== null && wanted.instance_uuid !== node.instance_uuid)
    throw new UserError(409, `Node ${node.uuid} is associated with instance ${node.instance_uuid}.`)
  checkProtection(node, wanted)
  checkRetirement(node, wanted)
}

function checkProtection(node: Node, wanted: NodeUpdate): void {
  if (wanted.protected && !node.protected && !['active', 'rescue'].includes(node.provision_state))
    throw new UserError(
      409,
      `Node ${node.uuid} can only be made protected in provision states 'active' or 'rescue', the current state is '${node.provision_state}'`,
    )
  if (wanted.protected_reason && !wanted.protected && wanted.protected_reason !== node.protected_reason)
    throw new UserError(400, 'The protected_reason field can only be set when protected is True.')
}

function checkRetirement(node: Node, wanted: NodeUpdate): void {
  if (wanted.retired && !node.retired && node.provision_state === 'available')
    throw new UserError(
      409,
      `Node ${node.uuid} can not have 'retired' set in provision state 'available', the current state is 'available': manage it first.`,
    )
  if (wanted.retired_reason && !wanted.retired && wanted.retired_reason !== node.retired_reason)
    throw new UserError(400, 'The retired_reason field can only be set when retired is True.')
}

function clearedReasons(node: Node, wanted: NodeUpdate): Partial<Node> {
  return {
    ...(wanted.protected ? {} : { protected_reason: null }),
    ...(wanted.retired ? {} : { retired_reason: null }),
    ...(node.maintenance && !wanted.maintenance ? { maintenance_reason: null, fault: null } : {}),
  }
}

/** Interfaces that were removed get the driver's default; with a new driver and reset_interfaces, all that weren't named. */
function interfacesAfter(
  node: Node,
  wanted: NodeUpdate,
  { resetInterfaces }: Update,
  touched: Set<string>,
): Interfaces {
  const asked = interfaceKinds.map((kind) => {
    const field = `${kind}_interface` as const
    return [field, resetInterfaces && !touched.has(field) ? null : wanted[field]] as const
  })
  return chosenInterfaces(wanted.driver ?? node.driver, Object.fromEntries(asked))
}

/** Another deploy interface than the one that `autodetect` chose is there to stay. */
function chosenByHand(
  { deploy_interface: before, driver_internal_info: info }: Node,
  after: Interfaces,
): Node['driver_internal_info'] {
  const { original_deploy_interface: _, ...rest } = info
  return after.deploy_interface === before ? info : rest
}

function refuseOldSecrets(info: Record<string, unknown>, site: string): void {
  const kept = Object.keys(info).filter((key) => info[key] === MASK || isSealed(info[key]))
  if (kept.length > 0)
    throw new UserError(
      400,
      `The secrets ${kept.map((key) => `driver_info/${key}`).join(', ')} are encrypted to the former site: give them again in the patch that moves the node to ${site === '' ? 'no site' : `site ${site}`}.`,
    )
}
