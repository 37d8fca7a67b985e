import { steps as facts } from '../../contract/hardware.ts'
import type { ConfigDriveReference, ImageReference, PlanKind, Step, StepName } from '../../contract/plan.ts'
import type { BootDevice, PowerTarget } from '../../contract/resources.ts'

/** Which steps an operation has. Pure: the same request makes the same steps. */
export type Request =
  | { kind: 'verify' | 'tear_down' }
  | { kind: 'clean'; steps: StepName[] }
  | { kind: 'deploy'; image: ImageReference; configDrive: ConfigDriveReference | null }
  | { kind: 'power'; target: PowerTarget; timeout: number | null }
  | { kind: 'boot_device'; device: BootDevice; persistent: boolean }
type RequestOf<K extends PlanKind> = Extract<Request, { kind: K }>

export interface Steps {
  steps: Step[]
  on_failure: Step[]
}

const planners: { [K in PlanKind]: (request: RequestOf<K>) => Steps } = {
  verify: () => ({ steps: [step('power.validate')], on_failure: [] }),
  clean: ({ steps }) => ({
    steps: [
      ...intoRamdisk(),
      ...steps.map((name) => step(name)),
      step('deploy.tear_down_agent'),
      step('boot.clean_up_ramdisk'),
    ],
    on_failure: offAndClean(),
  }),
  deploy: ({ image, configDrive }) => ({
    steps: [
      ...intoRamdisk(),
      step('deploy.write_image', { image, config_drive: configDrive }),
      step('deploy.prepare_instance_boot'),
      step('deploy.tear_down_agent'),
      step('boot.prepare_instance'),
      step('deploy.boot_instance'),
    ],
    on_failure: offAndClean(),
  }),
  tear_down: () => ({ steps: offAndClean(), on_failure: [] }),
  power: ({ target, timeout }) => ({
    steps: [withTimeout(step('power.set_power_state', { target, timeout }), timeout)],
    on_failure: [],
  }),
  boot_device: ({ device, persistent }) => ({
    steps: [step('management.set_boot_device', { device, persistent })],
    on_failure: [],
  }),
}

export function planSteps<K extends PlanKind>(request: RequestOf<K>): Steps {
  const planner = planners[request.kind as K]
  return planner(request)
}

/** The machine has to be off while its next boot is changed. */
const intoRamdisk = (): Step[] => [
  step('power.power_off'),
  step('boot.prepare_ramdisk'),
  step('power.power_on'),
  step('deploy.start_agent'),
]
const offAndClean = (): Step[] => [step('power.power_off'), step('boot.clean_up_ramdisk')]

function step(name: StepName, args: Step['args'] = {}): Step {
  const [iface, verb] = name.split('.') as [string, string]
  const { priority, deadline_seconds, waits } = facts[name]
  return { interface: iface, step: verb, args, priority, deadline_seconds, waits }
}

/** A graceful change may take as long as was asked for, beyond the time to talk to the BMC. */
function withTimeout(of: Step, timeout: number | null): Step {
  return timeout === null ? of : { ...of, deadline_seconds: Math.min(of.deadline_seconds + timeout, 86_400) }
}
