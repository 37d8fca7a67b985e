import { UserError } from '../../contract/api/faults.ts'
import { hardware } from '../../contract/hardware.ts'
import type { Lane, Plan, StepName } from '../../contract/plan.ts'
import type { ProvisionState } from '../../contract/provision.ts'
import type { Node, Port } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { powerPending } from '../store/nodes.ts'
import { configDriveReference } from './config-drive.ts'
import { resolveImage } from './image-source.ts'
import { machineOf } from './machine.ts'
import { planSteps, type Request } from './planners.ts'

/** From what a node shall become to the plan that makes it so. */

type Needs = Pick<Platform, 'table' | 'blobs'>

/** The operation that belongs to each state that one starts in. */
const operations: Partial<Record<ProvisionState, (platform: Needs, node: Node) => Promise<Request>>> = {
  verifying: async () => ({ kind: 'verify' }),
  cleaning: async (_, node) => ({ kind: 'clean', steps: cleanSteps(node) }),
  deploying: async (platform, node) => ({
    kind: 'deploy',
    image: await resolveImage(platform.table, node.instance_info),
    configDrive: await configDriveReference(platform.blobs, node),
  }),
  deleting: async () => ({ kind: 'tear_down' }),
}

/** What waits to be planned for this node, and in which lane; undefined: nothing. UserError: it can't be done, and why. */
export function pendingLane(node: Node): Lane | undefined {
  if (operations[node.provision_state] && node.operation === null) return 'provision'
  if (powerPending(node) && node.power_operation === null) return 'power'
  return undefined
}

export function requestOf(platform: Needs, node: Node, lane: Lane): Promise<Request> {
  if (lane === 'power') return Promise.resolve(powerRequest(node))
  const make = operations[node.provision_state]
  if (!make) throw new UserError(400, `Nothing is to be planned for a node that is ${node.provision_state}.`)
  return make(platform, node)
}

function powerRequest(node: Node): Request {
  if (node.target_power_state !== null) {
    const timeout = node.driver_internal_info['power_timeout']
    return { kind: 'power', target: node.target_power_state, timeout: typeof timeout === 'number' ? timeout : null }
  }
  if (!node.boot_device) throw new UserError(400, 'No boot device is named.')
  return { kind: 'boot_device', device: node.boot_device.boot_device, persistent: node.boot_device.persistent }
}

const AUTOMATED: StepName[] = ['deploy.erase_devices_metadata']

/** Those that a person named when asking for manual cleaning, which heads for `manageable`; else the automated ones. */
function cleanSteps(node: Node): StepName[] {
  const named = node.driver_internal_info['clean_steps']
  return node.target_provision_state === 'manageable' && Array.isArray(named) ? (named as StepName[]) : AUTOMATED
}

export function makePlan(
  node: Node,
  ports: Port[],
  request: Request,
  lane: Lane,
  facts: { id: string; now: Date },
): Plan {
  if (!Object.hasOwn(hardware, node.driver)) throw new UserError(400, `Driver '${node.driver}' is unknown.`)
  return {
    id: facts.id,
    node: node.uuid,
    generation: node.generation,
    lane,
    kind: request.kind,
    machine: machineOf(node, ports),
    ...planSteps(request),
    created_at: facts.now.toISOString(),
  }
}
