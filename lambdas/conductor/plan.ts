import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { UserError } from '../../contract/api/faults.ts'
import { hardware } from '../../contract/hardware.ts'
import type { Lane, Plan } from '../../contract/plan.ts'
import type { ProvisionState } from '../../contract/provision.ts'
import type { Node, Port } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { powerPending } from '../store/nodes.ts'
import { portsOf } from '../store/ports.ts'
import { bootVolumeOf, type NodeVolumes, volumesOf } from './boot-volume.ts'
import { configDriveReference } from './config-drive.ts'
import { resolveImage } from './image-source.ts'
import { coupled, familyOf, relativesIn } from './family.ts'
import { machineOf } from './machine.ts'
import { partitionsOf } from './partition-image.ts'
import { managementAsked } from './management.ts'
import { type Asked, planSteps, type Request } from './planners.ts'
import { doorsFor, withPlugs, wiringOf } from './plugs.ts'
import { askedSteps } from './asked.ts'
import { automatedSteps } from './automated-cleaning.ts'

/** From what a node shall become to the plan that makes it so. */

type Needs = Pick<Platform, 'table' | 'blobs' | 'options'>

/** The operation that belongs to each state that one starts in. */
const operations: Partial<Record<ProvisionState, (platform: Needs, node: Node) => Promise<Request>>> = {
  verifying: async ({ options }) => ({ kind: 'verify', setsClock: options.enable_verify_bmc_clock }),
  inspecting: async () => ({ kind: 'inspect' }),
  adopting: async () => ({ kind: 'adopt' }),
  cleaning: async (platform, node) => ({ kind: 'clean', steps: await cleanSteps(platform, node) }),
  deploying: async (platform, node) => ({
    kind: 'deploy',
    ...(await whatIsWritten(platform, node)),
    steps: askedSteps(node, 'deploy'),
  }),
  servicing: async (_, node) => ({ kind: 'service', steps: askedSteps(node, 'service') }),
  rescuing: async () => ({ kind: 'rescue' }),
  unrescuing: async () => ({ kind: 'unrescue' }),
  deleting: async () => ({ kind: 'tear_down' }),
}

/** Some deploy interfaces write nothing, and some leave it to others. */
async function whatIsWritten({ table, blobs, options }: Needs, node: Node): Promise<Written> {
  const { deploy_interface: deploy } = node
  const writesNothing =
    deploy === 'fake' || deploy === 'noop' || deploy === 'ramdisk' || (await bootVolumeOf(table, node)) !== undefined
  if (writesNothing) return { image: null, configDrive: null }
  const configDrive = await configDriveReference(blobs, node)
  if (deploy === 'custom-agent' || deploy === 'anaconda') return { image: null, configDrive }
  const image = await resolveImage(table, node, options)
  return { image, configDrive, partitions: deploy === 'bootc' ? undefined : partitionsOf(node) }
}
type Written = Pick<Extract<Request, { kind: 'deploy' }>, 'image' | 'configDrive' | 'partitions'>

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
  const asked = managementAsked(node)
  if (asked) return { kind: 'management', name: asked.step, args: asked.args }
  if (!node.boot_device) throw new UserError(400, 'No boot device is named.')
  return { kind: 'boot_device', device: node.boot_device.boot_device, persistent: node.boot_device.persistent }
}

/** Those that a person named when asking for manual cleaning, which heads for `manageable`; else the automated ones. */
async function cleanSteps(platform: Needs, node: Node): Promise<Asked[]> {
  return node.target_provision_state === 'manageable' ? askedSteps(node, 'clean') : automatedSteps(platform, node)
}

export async function planFor(
  platform: Pick<Platform, 'table' | 'options'>,
  node: Node,
  request: Request,
  lane: Lane,
  facts: { id: string; now: Date },
): Promise<Plan> {
  const family = await familyOf(platform, node)
  const cards = await portsOf(platform.table, node.uuid)
  const alone = makePlan(node, cards, request, lane, {
    ...facts,
    volumes: startsInstance(request, node) ? await volumesOf(platform.table, node) : undefined,
    options: platform.options,
  })
  const wiring = await wiringOf(platform, node, cards, request.kind)
  const switches = await doorsFor(platform, node, wiring)
  const plan = { ...alone, ...withPlugs(alone, request.kind, wiring), ...(switches ? { switches } : {}) }
  const steps = coupled(plan.steps, node, family)
  const on_failure = coupled(plan.on_failure, node, family)
  const relatives = await relativesIn(platform, [...steps, ...on_failure], family)
  return { ...plan, ...(relatives ? { relatives } : {}), steps, on_failure }
}

/** After these it runs what people have on it. */
function startsInstance({ kind }: Request, { provision_state: state }: Node): boolean {
  return ['deploy', 'adopt', 'service', 'unrescue'].includes(kind) || (kind === 'power' && state === 'active')
}

/** As if the node were alone in the world. */
export function makePlan(
  node: Node,
  ports: Port[],
  request: Request,
  lane: Lane,
  facts: { id: string; now: Date; options?: Pick<ConductorOptions, 'fast_track'>; volumes?: NodeVolumes | undefined },
): Plan {
  if (!Object.hasOwn(hardware, node.driver)) throw new UserError(400, `Driver '${node.driver}' is unknown.`)
  const known = machineOf(node, ports, facts.options)
  const machine = { ...known, ...facts.volumes }
  return {
    id: facts.id,
    node: node.uuid,
    generation: node.generation,
    lane,
    kind: request.kind,
    machine,
    ...planSteps(request, machine),
    created_at: facts.now.toISOString(),
  }
}
