import type { ProvisionState } from './provision.ts'

/** Sets of provision states that rules of Ironic name (reference §2.4). */
const set = (...states: ProvisionState[]): ReadonlySet<ProvisionState> => new Set(states)

/** DELETE of a node outside maintenance. */
export const deletable = set('manageable', 'enroll', 'adopt failed', 'available')

/** PATCH is accepted although a target state is set. */
export const updatable = set(
  'deploy failed',
  'inspecting',
  'inspect failed',
  'inspect wait',
  'clean failed',
  'error',
  'verifying',
  'adopt failed',
  'rescue failed',
  'unrescue failed',
  'service failed',
  'service hold',
)

/** Driver, interfaces and resource class may change. */
export const reconfigurable = set('enroll', 'inspecting', 'inspect wait', 'manageable', 'available')

/** How a port is connected may change. */
export const connectable = set('enroll', 'inspecting', 'inspect wait', 'manageable')

/** The agent of such a node is answered by lookup. */
export const lookupAllowed = set(
  'deploying',
  'wait call-back',
  'cleaning',
  'clean wait',
  'inspecting',
  'inspect wait',
  'rescuing',
  'rescue wait',
  'service wait',
)
