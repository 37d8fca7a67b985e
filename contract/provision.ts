/** The provision state machine (Ironic's, 2026.2): one table, from which the API, the conductor, the reports, the CLI, the
 * docs and the tests all read. `advance` is total; nobody else compares states. */

const HALF_HOUR = 1800

/** stable: rests until a verb. working: something is being done. waiting: the site waits for a machine. failed: needs a person.
 * hold: paused by a `hold` step until `unhold`. Working and waiting states are transient: they carry a deadline in seconds, which every
 * report of progress renews, and `late` says what to tell when it passes. */
type Stable = { kind: 'stable' | 'failed' | 'hold'; on: Transitions }
type Transient = { kind: 'working' | 'waiting'; deadline: number; late: string; on: Transitions & { fail: string } }
type Transitions = Readonly<Record<string, string>>

const CALLBACK = 'Timeout reached while waiting for callback'

export const provision = {
  enroll: { kind: 'stable', on: { manage: 'verifying' } },
  verifying: {
    kind: 'working',
    deadline: 600,
    late: 'The BMC was not verified in time',
    on: { done: 'manageable', fail: 'enroll' },
  },
  manageable: {
    kind: 'stable',
    on: { provide: 'cleaning', clean: 'cleaning', inspect: 'inspecting', adopt: 'adopting' },
  },
  available: { kind: 'stable', on: { deploy: 'deploying', manage: 'manageable' } },
  deploying: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report progress of the deployment in time',
    on: { wait: 'wait call-back', hold: 'deploy hold', done: 'active', fail: 'deploy failed' },
  },
  'wait call-back': {
    kind: 'waiting',
    deadline: HALF_HOUR,
    late: CALLBACK,
    on: {
      resume: 'deploying',
      hold: 'deploy hold',
      fail: 'deploy failed',
      abort: 'deploy failed',
      delete: 'deleting',
    },
  },
  'deploy hold': { kind: 'hold', on: { unhold: 'wait call-back', abort: 'deploy failed' } },
  'deploy failed': { kind: 'failed', on: { deploy: 'deploying', rebuild: 'deploying', delete: 'deleting' } },
  active: {
    kind: 'stable',
    on: { rebuild: 'deploying', delete: 'deleting', rescue: 'rescuing', service: 'servicing' },
  },
  deleting: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report the tear-down in time',
    on: { clean: 'cleaning', fail: 'error' },
  },
  error: { kind: 'stable', on: { rebuild: 'deploying', delete: 'deleting' } },
  cleaning: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report progress of cleaning in time',
    on: { done: 'available', manage: 'manageable', wait: 'clean wait', hold: 'clean hold', fail: 'clean failed' },
  },
  'clean wait': {
    kind: 'waiting',
    deadline: HALF_HOUR,
    late: CALLBACK,
    on: { resume: 'cleaning', hold: 'clean hold', fail: 'clean failed', abort: 'clean failed' },
  },
  'clean hold': { kind: 'hold', on: { unhold: 'clean wait', abort: 'clean failed' } },
  'clean failed': { kind: 'failed', on: { manage: 'manageable' } },
  inspecting: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report progress of the inspection in time',
    on: { done: 'manageable', wait: 'inspect wait', fail: 'inspect failed' },
  },
  'inspect wait': {
    kind: 'waiting',
    deadline: HALF_HOUR,
    late: CALLBACK,
    on: { done: 'manageable', resume: 'inspecting', fail: 'inspect failed', abort: 'inspect failed' },
  },
  'inspect failed': { kind: 'failed', on: { inspect: 'inspecting', manage: 'manageable' } },
  adopting: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report the adoption in time',
    on: { done: 'active', fail: 'adopt failed' },
  },
  'adopt failed': { kind: 'failed', on: { adopt: 'adopting', manage: 'manageable' } },
  rescuing: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report progress of the rescue in time',
    on: { done: 'rescue', wait: 'rescue wait', fail: 'rescue failed' },
  },
  'rescue wait': {
    kind: 'waiting',
    deadline: HALF_HOUR,
    late: CALLBACK,
    on: { resume: 'rescuing', fail: 'rescue failed', abort: 'rescue failed', delete: 'deleting' },
  },
  rescue: { kind: 'stable', on: { rescue: 'rescuing', unrescue: 'unrescuing', delete: 'deleting' } },
  'rescue failed': { kind: 'failed', on: { rescue: 'rescuing', unrescue: 'unrescuing', delete: 'deleting' } },
  unrescuing: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report the end of the rescue in time',
    on: { done: 'active', fail: 'unrescue failed' },
  },
  'unrescue failed': { kind: 'failed', on: { rescue: 'rescuing', unrescue: 'unrescuing', delete: 'deleting' } },
  servicing: {
    kind: 'working',
    deadline: HALF_HOUR,
    late: 'The site did not report progress of servicing in time',
    on: { done: 'active', wait: 'service wait', hold: 'service hold', fail: 'service failed' },
  },
  'service wait': {
    kind: 'waiting',
    deadline: HALF_HOUR,
    late: CALLBACK,
    on: {
      resume: 'servicing',
      hold: 'service hold',
      fail: 'service failed',
      abort: 'service failed',
      delete: 'deleting',
    },
  },
  'service hold': {
    kind: 'hold',
    on: { service: 'servicing', unhold: 'service wait', fail: 'service failed', abort: 'service failed' },
  },
  'service failed': {
    kind: 'failed',
    on: {
      service: 'servicing',
      rescue: 'rescuing',
      wait: 'service wait',
      hold: 'service hold',
      delete: 'deleting',
      abort: 'active',
    },
  },
} as const satisfies Record<string, Stable | Transient>

export type ProvisionState = keyof typeof provision
export const provisionStates = Object.keys(provision) as ProvisionState[]

type EventsOf<S extends ProvisionState> = keyof (typeof provision)[S]['on']
export type ProvisionEvent = { [S in ProvisionState]: EventsOf<S> }[ProvisionState]

/** The states in which something is being done or waited for. */
export type TransientState = {
  [S in ProvisionState]: (typeof provision)[S] extends { deadline: number } ? S : never
}[ProvisionState]

/** What the API's `target` raises. The key is the body's word, the value the event. */
export const verbs = {
  active: 'deploy',
  deploy: 'deploy',
  rebuild: 'rebuild',
  deleted: 'delete',
  undeploy: 'delete',
  manage: 'manage',
  provide: 'provide',
  inspect: 'inspect',
  abort: 'abort',
  clean: 'clean',
  adopt: 'adopt',
  rescue: 'rescue',
  unrescue: 'unrescue',
  unhold: 'unhold',
  service: 'service',
} as const satisfies Record<string, ProvisionEvent>
export type Verb = keyof typeof verbs

/** Where an operation is heading, by the event that starts it: shown as `target_provision_state`. */
const targets: Partial<Record<ProvisionEvent, ProvisionState>> = {
  manage: 'manageable',
  provide: 'available',
  clean: 'manageable',
  inspect: 'manageable',
  adopt: 'active',
  deploy: 'active',
  rebuild: 'active',
  delete: 'available',
  rescue: 'rescue',
  unrescue: 'active',
  service: 'active',
}

export type Advance = { state: ProvisionState; target: ProvisionState | null }

/** The next state and its target, or undefined where the machine has no such arrow. `target` is what the node is heading for now;
 * it is kept through waits and failures, and cleared where the node comes to rest. `deleting` goes on to cleaning with its own target. */
export function advance(
  state: ProvisionState,
  event: ProvisionEvent,
  target: ProvisionState | null = null,
): Advance | undefined {
  const next = (provision[state].on as Transitions)[event] as ProvisionState | undefined
  if (next === undefined) return undefined
  if (provision[next].kind === 'stable') return { state: next, target: null }
  const starts = !isTransient(state) || event === 'delete'
  return { state: next, target: (starts ? targets[event] : undefined) ?? target }
}

export function isTransient(state: ProvisionState): state is TransientState {
  return 'deadline' in provision[state]
}

export function isProvisionState(text: string): text is ProvisionState {
  return Object.hasOwn(provision, text)
}

/** The events that `state` accepts from people. While something is being done it accepts none: its arrows are the conductor's. */
export function verbsFrom(state: ProvisionState): Verb[] {
  const { kind, on }: { kind: string; on: Transitions } = provision[state]
  return (Object.keys(verbs) as Verb[]).filter((verb) => kind !== 'working' && verbs[verb] in on)
}
