import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { prepareRamdisk } from './boot.ts'
import { hasAgentPower, powerOff, powerOn, reset } from './power.ts'

/** Ironic's [deploy]fast_track_timeout. */
const FRESH_MS = 300_000

/** Fast-track (reference §5.4): a machine that is on, and whose agent was heard of lately, needs no boot. Here the agent is asked, too. */
export const bootRamdisk: StepRunner<'deploy.boot_ramdisk'> = async (_args, on) => {
  // After a crash of this appliance an agent that answers may be of the boot before: the restart is done from its beginning.
  if (on.memo.get('restart') === undefined) {
    const why = await whyRestart(on)
    if (why === undefined) return on.note('fast track: the agent of the operation before goes on')
    on.note(`no fast track: ${why}`)
    on.memo.set('restart', 'begun')
  }
  if (on.plan.machine.disable_power_off) {
    await prepareRamdisk({}, on)
    return reset({}, on)
  }
  await powerOff({}, on)
  await prepareRamdisk({}, on)
  await powerOn({}, on)
}

async function whyRestart(on: StepContext): Promise<string | undefined> {
  const { node } = on.plan
  const heard = on.agents.heardOf(node)
  if (!heard) return 'no agent runs'
  const seconds = Math.round((on.clock.now().getTime() - heard.getTime()) / 1000)
  if (seconds * 1000 > FRESH_MS) return `the agent was last heard of ${seconds} s ago`
  if (!hasAgentPower(on) && (await (await on.bmc()).power()) !== 'power on') return 'the machine is off'
  try {
    return (await on.agents.isIdle(on)) ? undefined : 'the agent is still busy'
  } catch (error) {
    on.signal.throwIfAborted()
    if (!(error instanceof HardwareError)) throw error
    return `the agent does not answer (${sentence(error)})`
  }
}
