import { restart, setPower } from '../../power/change.ts'
import type { PowerTarget } from '../../../contract/resources.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'

export function powerWait({ clock, signal, note, power: rules }: StepContext, timeout: number | null = null) {
  return { clock, signal, note, rules, timeout }
}

async function bring(on: StepContext, target: PowerTarget, timeout: number | null = null): Promise<void> {
  on.note(target === 'rebooting' ? 'power cycling' : `setting ${target}`)
  const bmc = await on.bmc()
  // A machine that loses power loses its agent with it.
  if (target !== 'power on') on.agents.wipe(on.plan.node)
  on.observed({ power: await setPower(bmc, target, powerWait(on, timeout)) })
}

export const validate: StepRunner<'power.validate'> = async (_args, on) => {
  on.note('asking the BMC for its power state')
  on.observed({ power: await (await on.bmc()).power() })
}

export const powerOn: StepRunner<'power.power_on'> = (_args, on) => bring(on, 'power on')

export const powerOff: StepRunner<'power.power_off'> = (_args, on) => bring(on, 'power off')

/** For machines that must not be off: restarts one that is on, by whatever the BMC does for a reset. */
export const reset: StepRunner<'power.reset'> = async (_args, on) => {
  if (hasAgentPower(on)) return restartByAgent(on)
  if (on.memo.get('reset') === 'done') return bring(on, 'power on')
  on.note('resetting')
  const bmc = await on.bmc()
  on.agents.wipe(on.plan.node)
  on.observed({ power: await restart(bmc, powerWait(on), () => on.memo.set('reset', 'done')) })
}

/** Without a BMC (Ironic's power interface `agent`). */
export function hasAgentPower({ plan }: StepContext): boolean {
  return plan.machine.interfaces['power'] === 'agent'
}

async function restartByAgent(on: StepContext): Promise<void> {
  const { node } = on.plan
  if (on.memo.get('reset') === 'done') return
  if (!on.agents.isUp(node)) {
    if (on.plan.kind === 'power')
      throw new HardwareError('no agent runs on the machine that could restart it: do it by hand')
    on.note('no agent runs on the machine: switch it on, or restart it, by hand')
    return
  }
  on.note('asking the agent to restart the machine')
  await on.agents.restart(on)
  on.memo.set('reset', 'done')
  on.agents.wipe(node)
  await isOn(on)
}

/** As far as anybody can tell. */
export async function isOn(on: StepContext): Promise<void> {
  await (await on.bmc()).control('on')
  on.observed({ power: 'power on' })
}

/** A reboot that was under way when the appliance died goes on where the power is: it is not done twice. */
export const setPowerState: StepRunner<'power.set_power_state'> = async ({ target, timeout }, on) => {
  const reboots = target === 'rebooting' || target === 'soft rebooting'
  if (reboots && on.memo.get('off') === 'reached') return bring(on, 'power on')
  if (!reboots) return bring(on, target, timeout)
  await bring(on, target === 'rebooting' ? 'power off' : 'soft power off', timeout)
  on.memo.set('off', 'reached')
  await bring(on, 'power on')
}
