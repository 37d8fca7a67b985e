import type { ConductorOptions } from '../../contract/conductor-options.ts'
import type { Report } from '../../contract/messages.ts'
import type { Node } from '../../contract/resources.ts'
import { startPower } from '../conductor/move.ts'
import { isBusy } from '../store/nodes.ts'

/** What sites see of power between operations (reference §3.2). Pure. */

export const POWER_FAILURE = 'power failure'
/** A machine that won't be driven back for so long is no machine that people keep switching. */
const FORGET_MS = 3_600_000

type Seen = Extract<Report, { kind: 'power' }>
type Bmc = Extract<Report, { kind: 'bmc' }>

/** The machine has another state than the cloud knew: that one counts, unless the operator wants machines driven back. */
export function seenPower(
  node: Node,
  { at, power_state }: Seen,
  now: Date,
  options: ConductorOptions,
): Node | undefined {
  const last = node.driver_internal_info['last_power_state_change']
  if (typeof last === 'string' && Date.parse(last) >= Date.parse(at)) return undefined
  const seen = {
    ...node,
    power_state,
    driver_internal_info: { ...node.driver_internal_info, last_power_state_change: at },
  }
  const { power_state: wanted } = node
  const forces = options.force_power_state_during_sync && !node.maintenance && !isBusy(node)
  if (!forces || power_state === wanted || (wanted !== 'power on' && wanted !== 'power off')) return seen
  if (wanted === 'power off' && node.disable_power_off) return seen
  return drivenBack(seen, wanted, now, options)
}

function drivenBack(node: Node, wanted: 'power on' | 'power off', now: Date, options: ConductorOptions): Node {
  const before = attemptsOf(node, now)
  if (before >= options.power_state_sync_max_retries)
    return failing(
      node,
      `During sync of power states, the node was ${node.power_state} instead of ${wanted} again after being set back ${before} times within an hour; it is left so.`,
    )
  const power_sync = { attempts: before + 1, at: now.toISOString() }
  const driver_internal_info = { ...node.driver_internal_info, power_sync, power_timeout: null }
  return startPower(node, { target_power_state: wanted, driver_internal_info }, now)
}

function attemptsOf({ driver_internal_info: { power_sync } }: Node, now: Date): number {
  const { attempts, at } = (power_sync ?? {}) as { attempts?: unknown; at?: unknown }
  const isFresh = typeof at === 'string' && now.getTime() - Date.parse(at) < FORGET_MS
  return isFresh && typeof attempts === 'number' ? attempts : 0
}

function failing(node: Node, why: string): Node {
  return { ...node, maintenance: true, maintenance_reason: why, fault: POWER_FAILURE, last_error: why }
}

/** A BMC has failed for as long as its site was told to be patient, or works again. What people set, they lift. */
export function seenBmc(node: Node, { answers, text }: Bmc): Node | undefined {
  if (answers) return node.fault === POWER_FAILURE ? recovered(node) : undefined
  return node.maintenance || isBusy(node) ? undefined : failing(node, `During sync of power states: ${text}`)
}

export function recovered(node: Node): Node {
  const last_error = node.last_error === node.maintenance_reason ? null : node.last_error
  return { ...node, maintenance: false, maintenance_reason: null, fault: null, last_error }
}
