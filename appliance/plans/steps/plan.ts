import { poll } from '../../clock.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepRunner } from '../step.ts'

/** Steps about the plan itself, whatever the hardware (reference §1.6.4: reserved names). */

export const hold: StepRunner<'plan.hold'> = async (_args, on) => {
  on.note('on hold until unhold')
  const gone = await poll(on.clock, { until: on.deadline, everyMs: 1000, signal: on.signal }, async () =>
    on.unheld() ? true : undefined,
  )
  if (!gone) throw new HardwareError('nobody ended the hold in time')
}

/** Counts from when the step first began: a crash does not make it longer. */
export const wait: StepRunner<'plan.wait'> = async ({ seconds }, on) => {
  on.note(`waiting ${seconds} s`)
  const left = on.started.getTime() + seconds * 1000 - on.clock.now().getTime()
  await on.clock.sleep(Math.max(0, left), on.signal)
}
