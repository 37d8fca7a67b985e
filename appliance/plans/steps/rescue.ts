import type { StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'

/** The agent makes the user `rescue`, and stays. It gets the password over the channel that its certificate was pinned for. */
export const finalizeRescue: StepRunner<'rescue.finalize_rescue'> = async (_args, on) => {
  if (isFake(on, 'rescue')) return pause(on, 'rescue')
  on.note('setting the rescue password')
  await on.agents.call(on, 'rescue.finalize_rescue', { rescue_password: on.rescuePassword(), hashed: false })
}
