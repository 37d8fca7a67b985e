import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { steps } from '../../contract/step-facts.ts'
import type { Progress } from '../../contract/messages.ts'
import type { StepName } from '../../contract/step-arguments.ts'
import { isTransient, provision, type ProvisionEvent, type ProvisionState } from '../../contract/provision.ts'
import type { Node, Operation, PowerState } from '../../contract/resources.ts'
import { RESCUE_PASSWORD } from '../../contract/seal.ts'
import { isCleaned } from '../conductor/automated-cleaning.ts'
import { withoutDeployInterface } from '../conductor/deploy-interface.ts'
import { deadlineAfter, endPower, fail, move } from '../conductor/move.ts'
import { POWER_FAILURE, recovered } from './power.ts'

export interface Circumstances {
  now: Date
  options: ConductorOptions
}

/** What a report of progress does to its node; undefined: nothing, because it is not of the running plan or not news. Pure.
 * Each report says the whole state of its plan, so any may be lost, doubled or late. */
export function apply(
  node: Node,
  report: Progress,
  appliance: string,
  { now, options }: Circumstances,
): Node | undefined {
  const operation = report.lane === 'power' ? node.power_operation : node.operation
  if (!operation || operation.appliance !== appliance || operation.plan !== report.plan) return undefined
  if (operation.generation !== report.generation || report.ordinal <= operation.ordinal) return undefined
  const observed = answeredAgain(withObservations(node, report), report, operation)
  return report.lane === 'power'
    ? applyPower(observed, report, operation)
    : applyProvision(observed, report, operation, { now, options })
}

function withObservations(node: Node, report: Progress): Node {
  return {
    ...node,
    power_state: report.power_state ?? node.power_state,
    boot_device: report.boot_device ?? node.boot_device,
    driver_internal_info:
      report.power_state === null
        ? node.driver_internal_info
        : { ...node.driver_internal_info, last_power_state_change: report.at },
  }
}

/** A plan that changed or read power, and did all that it was to do, has had the BMC's answer. */
function answeredAgain(node: Node, { phase }: Progress, { names }: Operation): Node {
  const answered = phase === 'done' && names.some((name) => name.startsWith('power.'))
  return answered && node.fault === POWER_FAILURE ? recovered(node) : node
}

function applyPower(node: Node, report: Progress, operation: Operation): Node {
  switch (report.phase) {
    case 'done':
      return endPower({ ...node, power_state: report.power_state ?? reached(node) })
    case 'failed':
    case 'refused':
      return endPower(node, errorOf(report))
    default:
      return { ...node, power_operation: progressed(operation, report, report.phase) }
  }
}

/** What power is after the change that was asked for, where the report doesn't say. */
function reached(node: Node): PowerState | null {
  if (node.target_power_state === null) return node.power_state
  return node.target_power_state.endsWith('power off') ? 'power off' : 'power on'
}

function applyProvision(
  node: Node,
  report: Progress,
  operation: Operation,
  circumstances: Circumstances,
): Node | undefined {
  const { now } = circumstances
  switch (report.phase) {
    case 'done':
      return finish(remember(poweredOn(node, operation, report), operation, report), circumstances)
    case 'failed':
    case 'refused':
      return fail(remember(node, operation, report), errorOf(report), report.phase === 'failed', now)
    default:
      if (
        node.maintenance &&
        !circumstances.options.allow_provisioning_in_maintenance &&
        stops.includes(operation.kind)
      )
        return fail(node, 'The node was put into maintenance, in which nothing may go on.', report.ordinal > 1, now)
      return renewed(withStep(goOn(node, report.phase, now), progressed(operation, report, report.phase)), now)
  }
}

/** What the operator can forbid under maintenance (reference §3.3). */
const stops = ['deploy', 'clean', 'service', 'rescue']

const events: Record<'accepted' | 'running' | 'waiting' | 'held', ProvisionEvent> = {
  accepted: 'resume',
  running: 'resume',
  waiting: 'wait',
  held: 'hold',
}

/** To the state that the phase stands for, where the node has one: not every operation has a waiting state. */
function goOn(node: Node, phase: keyof typeof events, now: Date): Node {
  return move(node, events[phase], now) ?? node
}

/** Every report of progress gives the state its whole time again. */
function renewed(node: Node, now: Date): Node {
  return { ...node, deadline: deadlineAfter(node, node.provision_state, now) }
}

function finish(node: Node, { now, options }: Circumstances): Node | undefined {
  const working = awake(node, now)
  switch (working.provision_state) {
    case 'cleaning': {
      const rests = working.target_provision_state === 'available' && !working.retired
      return move(working, rests ? 'done' : 'manage', now)
    }
    case 'deleting':
      return afterTearDown(working, { now, options })
    case 'inspecting':
      return inspected(move(working, 'done', now), now)
    case 'rescuing':
    case 'unrescuing':
      return withoutPassword(move(working, 'done', now))
    default:
      return move(working, 'done', now)
  }
}

function inspected(node: Node | undefined, now: Date): Node | undefined {
  return node && { ...node, inspection_started_at: null, inspection_finished_at: now.toISOString() }
}

/** The site has used it: nobody else needs it. */
function withoutPassword(node: Node | undefined): Node | undefined {
  if (!node) return undefined
  const { [RESCUE_PASSWORD]: _used, ...instance_info } = node.instance_info
  return { ...node, instance_info }
}

/** A deployed machine runs, said or not. */
function poweredOn(node: Node, { kind }: Operation, report: Progress): Node {
  return kind === 'deploy' && report.power_state === null ? { ...node, power_state: 'power on' } : node
}

/** Out of waits and holds into the working state. */
function awake(node: Node, now: Date): Node {
  const released = provision[node.provision_state].kind === 'hold' ? (move(node, 'unhold', now) ?? node) : node
  return (isTransient(released.provision_state) ? move(released, 'resume', now) : undefined) ?? released
}

/** The instance is gone; what follows is cleaning, unless the node is not to be cleaned. */
function afterTearDown(node: Node, { now, options }: Circumstances): Node | undefined {
  const before = withoutDeployInterface(node)
  const { automatic_lessee: leased, ...internal } = before.driver_internal_info
  const lease = leased ? { lessee: null, driver_internal_info: internal } : {}
  const bare: Node = {
    ...before,
    ...lease,
    instance_uuid: null,
    instance_info: {},
    instance_name: null,
    config_drive: null,
  }
  const cleaning = move(bare, 'clean', now)
  if (cleaning && isCleaned(node, options) && node.maintenance && !options.allow_provisioning_in_maintenance)
    return fail(cleaning, 'Automated cleaning is not allowed while the node is in maintenance.', false, now)
  if (!cleaning || isCleaned(node, options)) return cleaning
  return move(cleaning, node.retired ? 'manage' : 'done', now)
}

function progressed(operation: Operation, report: Progress, phase: Operation['phase']): Operation {
  return {
    ...operation,
    ordinal: report.ordinal,
    phase,
    step: Math.min(report.step, operation.steps - 1),
    percent: report.percent,
    note: report.note?.slice(0, 1024) ?? null,
    since: report.at,
    ...(report.boot && { boot: report.boot }),
  }
}

const shownIn = {
  deploying: 'deploy_step',
  'wait call-back': 'deploy_step',
  'deploy hold': 'deploy_step',
  cleaning: 'clean_step',
  'clean wait': 'clean_step',
  'clean hold': 'clean_step',
  servicing: 'service_step',
  'service wait': 'service_step',
  'service hold': 'service_step',
} as const satisfies Partial<Record<ProvisionState, string>>
type StepField = (typeof shownIn)[keyof typeof shownIn]

/** The running step in the field that Ironic has for it. */
function withStep(node: Node, operation: Operation): Node {
  const field = (shownIn as Partial<Record<ProvisionState, StepField>>)[node.provision_state]
  const name = operation.names[operation.step]
  if (!field || name === undefined) return { ...node, operation }
  const [iface, step] = name.split('.')
  const priority = steps[name as StepName]?.priority ?? 0
  return { ...node, operation, [field]: { interface: iface, step, args: {}, priority } }
}

/** Where the time of the last operation went. */
function remember(node: Node, { kind, names, generation }: Operation, { phase, seconds, at }: Progress): Node {
  const last_operation = { kind, generation, phase, names, seconds: seconds.slice(0, names.length), finished_at: at }
  return { ...node, driver_internal_info: { ...node.driver_internal_info, last_operation } }
}

function errorOf({ phase, note }: Progress): string {
  return note ?? `The site ${phase === 'refused' ? 'refused' : 'failed'} the operation without saying why.`
}
