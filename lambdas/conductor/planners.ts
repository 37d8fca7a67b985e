import { type StepFacts, steps as facts } from '../../contract/step-facts.ts'
import { AUTODETECT } from '../../contract/hardware.ts'
import { offers } from '../../contract/management.ts'
import type { ConfigDriveReference, WantedImage } from '../../contract/plan-sources.ts'
import type { PlanKind, Step } from '../../contract/plan.ts'
import type { StepName } from '../../contract/step-arguments.ts'
import type { PartitionImage } from '../../contract/partition-image.ts'
import type { BootDevice, PowerTarget } from '../../contract/resources.ts'
import { type Bootc, bootcOf } from './bootc.ts'
import {
  bootsElsewhere,
  type Ground,
  intoInstaller,
  intoInstance,
  intoInstanceFromRamdisk,
  intoRamdisk,
  isFake,
  offAndClean,
  prepareInstance,
  step,
  unlessItStays,
  withVolumesOfNow,
} from './ramdisk.ts'

/** A step that a person or a template named. */
export interface Asked {
  name: StepName
  args: Step['args']
  priority: number
}

/** Which steps an operation has. Pure: the same request makes the same steps. */
export type Request =
  /** `setsClock`: of a BMC that can tell and take it. */
  | { kind: 'verify'; setsClock?: boolean }
  | { kind: 'inspect' | 'adopt' | 'rescue' | 'unrescue' | 'tear_down' }
  | { kind: 'clean' | 'service'; steps: Asked[] }
  /** `image`: null where the deploy interface writes none. */
  | {
      kind: 'deploy'
      image: WantedImage | null
      configDrive: ConfigDriveReference | null
      partitions?: PartitionImage
      steps: Asked[]
    }
  | { kind: 'power'; target: PowerTarget; timeout: number | null }
  | { kind: 'boot_device'; device: BootDevice; persistent: boolean }
  | { kind: 'management'; name: StepName; args: Step['args'] }
type RequestOf<K extends PlanKind> = Request & { kind: K }

export interface Steps {
  steps: Step[]
  on_failure: Step[]
}

const planners: { [K in PlanKind]: (request: RequestOf<K>, on: Ground) => Steps } = {
  verify: ({ setsClock }, on) =>
    alone(
      step('power.validate', on),
      ...(setsClock && tellsHardware(on) ? [step('management.verify_bmc_clock', on)] : []),
      ...(tellsHardware(on) ? [step('management.read_hardware', on)] : []),
    ),
  inspect: (_, on) =>
    inspectsAlone(on)
      ? alone({ ...step('inspect.inspect_hardware', on), waits: false })
      : {
          steps: [...intoRamdisk(on), step('inspect.inspect_hardware', on), ...unlessItStays(on)],
          on_failure: offAndClean(on),
        },
  /** One that boots a ramdisk needs its files here, as it may be restarted at any time. */
  adopt: (_, on) =>
    alone(step('power.validate', on), ...(bootsElsewhere(on) ? prepareInstance(on) : [step('deploy.take_over', on)])),
  clean: ({ steps }, on) =>
    steps.length === 0
      ? alone(step('power.validate', on))
      : needsRamdisk(steps, on)
        ? { steps: [...around(steps, on), ...unlessItStays(on)], on_failure: offAndClean(on) }
        : alone(...steps.map(asked(on))),
  service: ({ steps }, on) =>
    needsRamdisk(steps, on)
      ? {
          steps: [...around(steps, on), step('deploy.tear_down_agent', on), ...intoInstance(on)],
          on_failure: offAndClean(on),
        }
      : alone(...steps.map(asked(on))),
  deploy: (request, on) => ({
    steps: deploySteps(request, on),
    on_failure: deploysNothing(on) ? [] : offAndClean(on),
  }),
  rescue: (_, on) =>
    isFake(on, 'rescue')
      ? alone(step('rescue.finalize_rescue', on))
      : { steps: [...intoRamdisk(on), step('rescue.finalize_rescue', on)], on_failure: offAndClean(on) },
  unrescue: (_, on) =>
    isFake(on, 'rescue')
      ? alone(step('deploy.boot_instance', on))
      : { steps: [...offAndClean(on), ...intoInstance(on)], on_failure: [] },
  tear_down: (_, on) =>
    deploysNothing(on)
      ? alone(step('power.validate', on))
      : alone(...offAndClean(on), ...(on.disable_power_off ? [step('power.reset', on)] : [])),
  power: ({ target, timeout }, on) =>
    alone(
      ...withVolumesOfNow(on, target),
      on.disable_power_off && target.endsWith('rebooting')
        ? step('power.reset', on)
        : withTimeout(step('power.set_power_state', on, { target, timeout }), timeout),
    ),
  boot_device: ({ device, persistent }, on) => alone(step('management.set_boot_device', on, { device, persistent })),
  management: ({ name, args }, on) => alone(step(name, on, args)),
}

/** Ironic's NoDeploy: the node is kept track of, and its machine is left alone. */
const deploysNothing = ({ interfaces }: Ground): boolean => interfaces['deploy'] === 'noop'

/** Fake, or asked of the BMC: no ramdisk is needed. */
function inspectsAlone(on: Ground): boolean {
  return isFake(on, 'inspect') || (on.interfaces['inspect'] ?? '').endsWith('redfish')
}

/** Into the ramdisk and through the steps; those that restart the machine come first, or they would end the ramdisk's agent. */
function around(steps: readonly Asked[], on: Ground): Step[] {
  const early = steps.filter((each) => restarts(each, on))
  const others = steps.filter((each) => !restarts(each, on))
  return [...early.map(asked(on)), ...intoRamdisk(on), ...others.map(asked(on))]
}

function restarts({ name }: Asked, on: Ground): boolean {
  return restarting.has(name) && (on.interfaces[name.split('.')[0]!] ?? '').endsWith('redfish')
}
const restarting = new Set<StepName>(
  (Object.entries(facts) as [StepName, StepFacts][]).flatMap(([name, { restarts: does }]) => (does ? [name] : [])),
)

/** What Ironic caches when a node becomes manageable: BIOS settings, firmware versions, boot mode. */
function tellsHardware({ interfaces }: Ground): boolean {
  return offers(interfaces['management'] ?? null, 'set_boot_mode')
}

export function planSteps<K extends PlanKind>(request: RequestOf<K>, on: Ground): Steps {
  const planner = planners[request.kind as K]
  return planner(request, on)
}

/** Whether the agent has to do any of these. */
export function needsRamdisk(steps: Pick<Asked, 'name'>[], on: Ground): boolean {
  return !isFake(on, 'deploy') && steps.some(({ name }) => isInBand(name, on))
}

/** By what it is, or because its interface is the agent's, as that of software RAID is. */
function isInBand(name: StepName, on: Ground): boolean {
  return facts[name].inBand || on.interfaces[name.split('.')[0]!] === 'agent'
}

/** In order of priority (reference §5.1): what is asked for goes between the steps of the deploy interface, or before the machine is
 * touched where it needs no agent. */
function deploySteps({ image, configDrive, partitions, steps }: RequestOf<'deploy'>, on: Ground): Step[] {
  const wanted = steps.filter(({ priority }) => priority > 0).map(withDrive(configDrive))
  if (deploysNothing(on)) return ordered([step('deploy.deploy', on), ...wanted.map(asked(on))])
  if (bootsElsewhere(on)) return [...ordered(wanted.map(asked(on))), ...switchedOff(on), ...intoInstance(on)]
  if (on.interfaces['deploy'] === 'anaconda')
    return [
      ...ordered(wanted.map(asked(on))),
      ...intoInstaller(on, configDrive),
      ...switchedOff(on),
      ...intoInstance(on),
    ]
  if (isFake(on, 'deploy'))
    return ordered([step('deploy.deploy', on), step('deploy.boot_instance', on), ...wanted.map(asked(on))])
  const start = facts['deploy.start_agent'].priority
  const isEarly = (each: Asked): boolean => restarts(each, on) || (each.priority > start && !isInBand(each.name, on))
  const main = [...writing({ image, configDrive, partitions }, on), ...intoInstanceFromRamdisk(on)]
  return [
    ...ordered(wanted.filter(isEarly).map(asked(on))),
    ...intoRamdisk(on),
    ...ordered([...main, ...wanted.filter((each) => !isEarly(each)).map(asked(on))]),
  ]
}

function writing(
  { image, configDrive, partitions }: Pick<RequestOf<'deploy'>, 'image' | 'configDrive' | 'partitions'>,
  on: Ground,
): Step[] {
  if (image === null) return []
  if (on.interfaces['deploy'] === 'bootc') {
    const how = bootcOf(image, on.instance_info ?? {})
    return [step('deploy.execute_bootc_install', on, { ...how, config_drive: configDrive })]
  }
  const write = step('deploy.write_image', on, { image, config_drive: configDrive, ...(partitions && { partitions }) })
  const written =
    on.interfaces['deploy'] === AUTODETECT ? orInstalled(write, bootcOf(image, on.instance_info ?? {})) : write
  return [written, step('deploy.prepare_instance_boot', on)]
}

/** Only its site can look at it, and sees whether it is of a disk or a container that boots. */
function orInstalled(write: Step, { image: _image, ...container }: Bootc): Step {
  const { deadline_seconds } = facts['deploy.execute_bootc_install']
  return { ...write, args: { ...write.args, container }, deadline_seconds }
}

/** A step of the agent's own may be what writes the disk. */
function withDrive(drive: ConfigDriveReference | null): (of: Asked) => Asked {
  return (of) => (drive && of.name === 'plan.agent_step' ? { ...of, args: { ...of.args, config_drive: drive } } : of)
}

function switchedOff(on: Ground): Step[] {
  return on.disable_power_off ? [] : [step('power.power_off', on)]
}

const ranks = ['raid', 'bios', 'deploy', 'firmware', 'management', 'power', 'vendor']

function ordered(steps: Step[]): Step[] {
  const rank = (of: Step): number => ranks.indexOf(of.interface)
  return steps.toSorted((a, b) => b.priority - a.priority || rank(b) - rank(a))
}

/** Before they are steps of a plan. */
export function byPriority(steps: Asked[]): Asked[] {
  const rank = ({ name }: Asked): number => ranks.indexOf(name.split('.')[0]!)
  return steps.toSorted((a, b) => b.priority - a.priority || rank(b) - rank(a))
}

function asked(on: Ground): (of: Asked) => Step {
  return ({ name, args, priority }) => ({ ...step(name, on, args), ...(priority > 0 ? { priority } : {}) })
}

const alone = (...steps: Step[]): Steps => ({ steps, on_failure: [] })

/** A graceful change may take as long as was asked for, beyond the time to talk to the BMC. */
function withTimeout(of: Step, timeout: number | null): Step {
  return timeout === null ? of : { ...of, deadline_seconds: Math.min(of.deadline_seconds + timeout, 86_400) }
}
