import type { StepContext } from '../step.ts'
import { isFake, pause } from './fake.ts'

/** A clean step of the agent that is about all disks. What it is told stands where Ironic's conductor puts it: in driver_internal_info. */
export function erase(step: string, busy: string): (flags: object, on: StepContext) => Promise<void> {
  return async (flags, on) => {
    if (isFake(on, 'deploy')) return pause(on, 'deploy')
    await on.agents.runStep(on, 'clean', {
      step: { interface: 'deploy', step },
      args: {},
      internal: { ...flags },
      busy,
      percent: (own) => own,
    })
  }
}
