import { poll } from '../../clock.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { tearDownAgent } from './deploy.ts'
import { powerOn, reset } from './power.ts'

const GONE_MS = 60_000

/** The ramdisk's kernel starts the kernel on the disk, without firmware in between; a machine that can't is restarted, and the note says
 * why. */
export const kexecInstance: StepRunner<'deploy.kexec_instance'> = async (_args, on) => {
  const why = await whyNoKexec(on)
  if (why === undefined) return on.agents.wipe(on.plan.node)
  on.noticed('kexec', `The machine was restarted into its instance, for kexec failed: ${why}.`)
  on.note(`restarting, for kexec failed: ${why}`)
  await tearDownAgent({}, on)
  await (on.plan.machine.disable_power_off ? reset({}, on) : powerOn({}, on))
}

/** Undefined: the agent, and its ramdisk with it, is gone. */
async function whyNoKexec(on: StepContext): Promise<string | undefined> {
  const failed = on.memo.get('no kexec')
  if (failed !== undefined) return failed
  try {
    if (on.memo.get('kexec') === undefined) {
      on.note('loading the kernel that is on the disk')
      const loaded = await on.agents.runCommand(on, 'standby.load_kernel', {})
      on.note(
        `starting ${typeof loaded['kernel'] === 'string' ? loaded['kernel'].slice(0, 255) : 'its kernel'} by kexec`,
      )
      on.memo.set('kexec', 'loaded')
    }
    await on.agents.startKernel(on)
    return await goneOr(on, 'the agent still answers')
  } catch (error) {
    on.signal.throwIfAborted()
    if (!(error instanceof HardwareError)) throw error
    on.memo.set('no kexec', sentence(error))
    return sentence(error)
  }
}

async function goneOr(on: StepContext, why: string): Promise<string | undefined> {
  const until = new Date(Math.min(on.clock.now().getTime() + GONE_MS, on.deadline.getTime()))
  const gone = await poll(on.clock, { until, everyMs: 2000, signal: on.signal }, () =>
    on.agents.isIdle(on).then(
      () => undefined,
      () => true,
    ),
  )
  if (gone) return undefined
  on.memo.set('no kexec', why)
  return why
}
