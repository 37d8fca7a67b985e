import { advance, isTransient, provision, type ProvisionEvent, type ProvisionState } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import { withoutManagement } from './management.ts'

/** A node's way through the provision states: what changes with every arrow, whoever raises the event. Pure. */

/** The node behind the arrow, or undefined where there is none. An arrow into a working state starts a new operation, unless it goes
 * on with one that waited: the node gets a new generation and has no plan yet, which is what wakes the conductor. */
export function move(node: Node, event: ProvisionEvent, now: Date): Node | undefined {
  const next = advance(node.provision_state, event, node.target_provision_state)
  if (!next) return undefined
  const moved: Node = {
    ...node,
    provision_state: next.state,
    target_provision_state: next.target,
    provision_updated_at: now.toISOString(),
    deadline: deadlineAfter(node, next.state, now),
  }
  const idle = { operation: null, deploy_step: {}, clean_step: {}, service_step: {} }
  if (provision[next.state].kind === 'working' && event !== 'resume')
    return { ...moved, ...idle, ...inspectionBegins(moved), generation: node.generation + 1, last_error: null }
  return isTransient(next.state) || provision[next.state].kind === 'hold' ? moved : { ...moved, ...idle }
}

function inspectionBegins(node: Node): Partial<Node> {
  if (node.provision_state !== 'inspecting') return {}
  return { inspection_started_at: node.provision_updated_at, inspection_finished_at: null }
}

export function deadlineOf(state: ProvisionState, now: Date): string | null {
  return isTransient(state) ? new Date(now.getTime() + provision[state].deadline * 1000).toISOString() : null
}

/** That of the state; where a node rests, that of a change of power which is still under way. */
export function deadlineAfter(node: Node, state: ProvisionState, now: Date): string | null {
  const own = deadlineOf(state, now)
  if (own !== null || isTransient(state)) return own
  if (!isTransient(node.provision_state)) return node.deadline
  const isChanging = node.power_operation !== null || node.target_power_state !== null
  return isChanging ? new Date(now.getTime() + POWER_SECONDS * 1000).toISOString() : null
}

/** The node after its operation came to nothing; `began`: steps of it have run. */
export function fail(node: Node, why: string, began: boolean, now: Date): Node | undefined {
  const failed = move(node, 'fail', now) ?? move(node, 'abort', now)
  if (!failed) return undefined
  const fault = began ? faults[failed.provision_state] : undefined
  return {
    ...failed,
    last_error: why,
    ...(fault === undefined ? {} : { maintenance: true, maintenance_reason: why, fault }),
  }
}

/** Half done, these leave a machine that nobody should use before a person has seen to it (reference §3.3). */
const faults: Partial<Record<ProvisionState, string>> = {
  'clean failed': 'clean failure',
  'service failed': 'service failure',
}

const POWER_SECONDS = 600

/** A power or boot-device change is asked for: it gets a generation and a deadline, and no plan yet. `patience`: the seconds that
 * a graceful change may take beyond those of others. */
export function startPower(node: Node, changes: Partial<Node>, now: Date, patience = 0): Node {
  return {
    ...node,
    last_error: null,
    ...changes,
    generation: node.generation + 1,
    power_operation: null,
    deadline: new Date(now.getTime() + (POWER_SECONDS + patience) * 1000).toISOString(),
  }
}

/** The power lane is free again; `why`: the change failed. */
export function endPower(node: Node, why?: string): Node {
  return {
    ...node,
    power_operation: null,
    target_power_state: null,
    driver_internal_info: withoutManagement(node.driver_internal_info),
    deadline: isTransient(node.provision_state) ? node.deadline : null,
    ...(why === undefined ? {} : { last_error: why }),
  }
}
