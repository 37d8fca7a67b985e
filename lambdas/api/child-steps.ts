import { UserError } from '../../contract/api/faults.ts'
import { stepName } from '../../contract/plan.ts'
import type { Node } from '../../contract/resources.ts'
import { type Children, type NamedStep, targetsOf } from '../conductor/named-steps.ts'
import type { Platform } from '../platform.ts'
import { childrenOf, getNode, isBusy } from '../store/nodes.ts'
import { isVisible, requireAllowed } from './authorization.ts'
import type { Call } from './context.ts'
import { noNode } from './find.ts'
import { holderLookup, lockedText } from './holders.ts'

/** The children that steps with `execute_on_child_nodes` are for (reference §3.8). Read only where a step is for children. The caller must be allowed to do it to each of them too, and none may be busy. */
export async function childrenFor(
  call: Call,
  platform: Platform,
  parent: Node,
  steps: readonly Omit<NamedStep, 'args'>[],
): Promise<Children> {
  const wanted = steps.filter((each) => each.execute_on_child_nodes)
  const stray = steps.find((each) => each.limit_child_node_execution?.length && !each.execute_on_child_nodes)
  if (stray)
    throw new UserError(400, `Step ${stepName(stray)}: limit_child_node_execution needs execute_on_child_nodes.`)
  if (wanted.length === 0) return new Map()
  const all = await childrenOf(platform.table, parent.uuid)
  if (all.length === 0) throw new UserError(400, `Node ${parent.uuid} has no child nodes to execute steps on.`)
  const named = new Set(wanted.flatMap((each) => targetsOf(each, all)))
  const children = new Map<string, Node>()
  for (const uuid of named) {
    const child = all.includes(uuid) ? await getNode(platform.table, uuid) : undefined
    if (!child) throw new UserError(400, `Node ${uuid} is not a child of node ${parent.uuid}.`)
    await requireUsable(call, platform, parent, child)
    children.set(uuid, child)
  }
  return children
}

async function requireUsable(call: Call, platform: Platform, parent: Node, child: Node): Promise<void> {
  if (!isVisible(call, child)) throw noNode(child.uuid)
  requireAllowed(call, 'baremetal:node:set_provision_state', child)
  if (child.conductor_group !== parent.conductor_group)
    throw new UserError(400, `Child node ${child.uuid} is not on the site of node ${parent.uuid}.`)
  if (isBusy(child)) throw new UserError(409, lockedText(child, (await holderLookup(platform)(child)).reservation))
}
