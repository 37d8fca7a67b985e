import { isTransient, provision } from '../../contract/provision.ts'
import type { Appliance, Node, Operation } from '../../contract/resources.ts'
import { cancelWrites } from '../conductor/cancel.ts'
import { deadlineOf, endPower, fail } from '../conductor/move.ts'
import type { Platform } from '../platform.ts'
import { getAppliance, isAlive } from '../store/appliances.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { THE_CLOUD } from '../store/history.ts'
import { NODES_DUE } from '../store/nodes.ts'
import { dueItems } from './due.ts'

/** A site that is cut off may well have gone on; so long is it waited for. */
const PATIENCE_SECONDS = 24 * 3600

/** Nodes whose operation has run out of time fail, and say what was last heard. */
export async function expireNodes(platform: Platform): Promise<void> {
  const seen = new Map<string, Promise<Appliance | undefined>>()
  const applianceOf = ({ appliance }: Operation): Promise<Appliance | undefined> => {
    const known = seen.get(appliance) ?? getAppliance(platform.table, appliance)
    seen.set(appliance, known)
    return known
  }
  for await (const { value } of dueItems(platform.table, NODES_DUE, platform.clock.now())) {
    const node = value as Node
    if (await isCutOff(platform, node, applianceOf)) continue
    await changeNode(platform, node.uuid, (now) => expired(platform, now))
  }
}

async function isCutOff(
  { clock }: Platform,
  { operation, deadline }: Node,
  applianceOf: (operation: Operation) => Promise<Appliance | undefined>,
): Promise<boolean> {
  const now = clock.now()
  if (!operation || deadline === null) return false
  if (now.getTime() > Date.parse(deadline) + PATIENCE_SECONDS * 1000) return false
  const appliance = await applianceOf(operation)
  return appliance !== undefined && !isAlive(appliance, now)
}

async function expired(platform: Platform, node: Node): Promise<NodeChange | undefined> {
  const now = platform.clock.now()
  if (node.deadline === null || Date.parse(node.deadline) > now.getTime()) return undefined
  const lane = isTransient(node.provision_state) ? 'provision' : 'power'
  // Somebody is at the machine: it waits with them (reference §3.3). A power change has nothing to wait for.
  if (node.maintenance && lane === 'provision')
    return { node: { ...node, deadline: deadlineOf(node.provision_state, now) } }
  const why = reasonOf(node)
  const failed = lane === 'power' ? endPower(node, why) : fail(node, why, hasBegun(node.operation), now)
  if (!failed) return undefined
  platform.log.warn(
    { node: node.uuid, site: node.conductor_group, lane, state: node.provision_state, why },
    'deadline passed',
  )
  return { node: failed, conductor: THE_CLOUD, writes: await cancelWrites(platform, node, lane, why) }
}

function hasBegun(operation: Operation | null): boolean {
  return operation !== null && operation.ordinal > 0
}

function reasonOf(node: Node): string {
  const { provision_state: state } = node
  if (!isTransient(state))
    return `The site did not report the change of power or boot device in time. ${lastHeard(node.power_operation)}`
  return `${provision[state].late} for node ${node.uuid}. ${lastHeard(node.operation)}`
}

function lastHeard(operation: Operation | null): string {
  if (operation === null) return 'It was never sent to a site.'
  if (operation.ordinal === 0) return `The site has not reported anything since it was sent at ${operation.since}.`
  const step = operation.names[operation.step] ?? 'an unknown step'
  return `Last report: ${operation.note ?? operation.phase} (${step}) at ${operation.since}.`
}
