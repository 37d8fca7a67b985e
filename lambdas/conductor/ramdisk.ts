import { steps as facts } from '../../contract/step-facts.ts'
import type { ConfigDriveReference } from '../../contract/plan-sources.ts'
import type { Machine, Step } from '../../contract/plan.ts'
import type { StepName } from '../../contract/step-arguments.ts'
import type { PowerTarget } from '../../contract/resources.ts'
import { ramdiskArguments } from '../../contract/ramdisk-arguments.ts'
import { boolean } from '../../contract/stored.ts'
import { installer } from './installer.ts'
import { instanceRamdisk } from './instance-ramdisk.ts'

/** What decides how an operation goes on this machine. */
export type Ground = Pick<Machine, 'interfaces' | 'disable_power_off'> &
  Partial<Pick<Machine, 'instance_info' | 'driver_info' | 'fast_track' | 'boot_volume' | 'data_volumes'>>

export function isFake({ interfaces }: Ground, kind: string): boolean {
  return interfaces[kind] === 'fake'
}

/** UserError: its kernel can't be told what driver_info asks for. */
export function intoRamdisk(on: Ground): Step[] {
  ramdiskArguments(on.driver_info ?? {})
  return [
    ...(on.fast_track ? [step('deploy.boot_ramdisk', on)] : started(boot('boot.prepare_ramdisk', on), on)),
    step('deploy.start_agent', on),
  ]
}

/** Somebody else's program in the agent's place, which installs by itself. */
export function intoInstaller(on: Ground, drive: ConfigDriveReference | null): Step[] {
  const what = installer(on.instance_info ?? {}, on.interfaces['boot'] ?? null)
  const prepare = step('boot.prepare_installer', on, { ...what, ...(drive && { config_drive: drive }) })
  return [...started([prepare], on), step('deploy.await_installer', on)]
}

/** The machine has to be off while its next boot is changed; one that must not be off is restarted after that. */
const started = (change: Step[], on: Ground): Step[] =>
  on.disable_power_off
    ? [...change, step('power.reset', on)]
    : [step('power.power_off', on), ...change, step('power.power_on', on)]

export const outOfRamdisk = (on: Ground): Step[] => [
  step('deploy.tear_down_agent', on),
  ...boot('boot.clean_up_ramdisk', on),
]

/** Where its agent stays for what comes next, nothing is to be left. */
export const unlessItStays = (on: Ground): Step[] => (on.fast_track ? [] : outOfRamdisk(on))

/** From its disk, or from what it boots at every start. */
export const intoInstance = (on: Ground): Step[] => [
  ...prepareInstance(on),
  on.disable_power_off
    ? { ...step('power.reset', on), priority: facts['deploy.boot_instance'].priority }
    : step('deploy.boot_instance', on),
]

/** By a restart, or by `driver_info/kexec` without one. */
export const intoInstanceFromRamdisk = (on: Ground): Step[] =>
  wantsKexec(on)
    ? [...prepareInstance(on), step('deploy.kexec_instance', on)]
    : [step('deploy.tear_down_agent', on), ...intoInstance(on)]

function wantsKexec(on: Ground): boolean {
  const { kexec } = on.driver_info ?? {}
  return (
    !isFake(on, 'boot') &&
    // What is hooked in is told of by the firmware, which a kernel that is started so does not meet.
    !hasVolumes(on) &&
    boolean
      .default(false)
      .catch(false)
      .parse(kexec ?? undefined)
  )
}

export const prepareInstance = (on: Ground): Step[] =>
  bootsRamdisk(on)
    ? [
        step(
          'boot.prepare_instance_ramdisk',
          on,
          instanceRamdisk(on.instance_info ?? {}, on.interfaces['boot'] ?? null),
        ),
      ]
    : boot(hasVolumes(on) ? 'boot.prepare_instance_volume' : 'boot.prepare_instance', on)

const hasVolumes = ({ boot_volume: volume, data_volumes: data = [] }: Ground): boolean =>
  volume !== undefined || data.length > 0

/** Its volumes may have changed while it was off: at each start it is told anew of those that it has. */
export const withVolumesOfNow = (on: Ground, target: PowerTarget): Step[] =>
  on.data_volumes !== undefined && !target.endsWith('power off') ? prepareInstance(on) : []

/** What it boots is not on a disk of its own: nothing is written, and it has to be there at every start. */
export const bootsElsewhere = (on: Ground): boolean => bootsRamdisk(on) || on.boot_volume !== undefined

/** The instance is a ramdisk: no agent deploys it, and no disk is written. */
export function bootsRamdisk({ interfaces }: Ground): boolean {
  return interfaces['deploy'] === 'ramdisk'
}

export const offAndClean = (on: Ground): Step[] => [
  ...(on.disable_power_off ? [] : [step('power.power_off', on)]),
  ...boot('boot.clean_up_ramdisk', on),
]

/** A fake boot interface boots nothing. */
const boot = (name: StepName, on: Ground): Step[] => (isFake(on, 'boot') ? [] : [step(name, on)])

export function step(name: StepName, on: Ground, args: Step['args'] = {}): Step {
  const [iface, verb] = name.split('.') as [string, string]
  const { priority, deadline_seconds, waits } = facts[name]
  return { interface: iface, step: verb, args, priority, deadline_seconds, waits: waits && !isFake(on, iface) }
}
