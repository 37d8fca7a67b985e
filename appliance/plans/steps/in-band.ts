import type { StepContext } from '../step.ts'
import { isFake, pause } from './fake.ts'

type Runner = (args: object, on: StepContext) => Promise<void>

/** A step that the agent has under the same name, of those for cleaning or of those for deploys. */
export function inBand(
  kind: 'clean' | 'deploy',
  step: string,
  busy: string,
  node?: (on: StepContext) => object,
): Runner {
  return async (args, on) => {
    if (isFake(on, 'deploy')) return pause(on, 'deploy')
    await on.agents.runStep(on, kind, {
      step: { interface: 'deploy', step },
      args: { ...args },
      ...(node && { node: { ...node(on) } }),
      busy,
      percent: (own) => own,
    })
  }
}

/** The agent reads from driver_info how long and how hard, and is shown nothing else of it. */
export function burnIn(step: string, busy: string): Runner {
  return inBand('clean', step, busy, (on) => ({
    driver_info: Object.fromEntries(
      Object.entries(on.plan.machine.driver_info).filter(([key]) => key.startsWith('agent_burnin_')),
    ),
  }))
}
