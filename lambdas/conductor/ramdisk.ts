import { steps as facts } from '../../contract/step-facts.ts'
import type { Machine, Step, StepName } from '../../contract/plan.ts'
import { instanceRamdisk } from './instance-ramdisk.ts'

/** What decides how an operation goes on this machine. */
export type Ground = Pick<Machine, 'interfaces' | 'disable_power_off'> & Partial<Pick<Machine, 'instance_info'>>

export function isFake({ interfaces }: Ground, kind: string): boolean {
  return interfaces[kind] === 'fake'
}

/** The machine has to be off while its next boot is changed; one that must not be off is restarted after that. */
export const intoRamdisk = (on: Ground): Step[] =>
  on.disable_power_off
    ? [...boot('boot.prepare_ramdisk', on), step('power.reset', on), step('deploy.start_agent', on)]
    : [
        step('power.power_off', on),
        ...boot('boot.prepare_ramdisk', on),
        step('power.power_on', on),
        step('deploy.start_agent', on),
      ]

export const outOfRamdisk = (on: Ground): Step[] => [
  step('deploy.tear_down_agent', on),
  ...boot('boot.clean_up_ramdisk', on),
]

/** From its disk, or from what it boots at every start. */
export const intoInstance = (on: Ground): Step[] => [
  ...prepareInstance(on),
  on.disable_power_off
    ? { ...step('power.reset', on), priority: facts['deploy.boot_instance'].priority }
    : step('deploy.boot_instance', on),
]

export const prepareInstance = (on: Ground): Step[] =>
  bootsRamdisk(on)
    ? [
        step(
          'boot.prepare_instance_ramdisk',
          on,
          instanceRamdisk(on.instance_info ?? {}, on.interfaces['boot'] ?? null),
        ),
      ]
    : boot('boot.prepare_instance', on)

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
