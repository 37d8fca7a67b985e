import type { FakeDelay } from '../../../contract/hardware.ts'
import type { StepContext } from '../step.ts'

/** What fake interfaces do: take their time. */
export async function pause(on: StepContext, kind: FakeDelay): Promise<void> {
  on.note(`fake ${kind} at work`)
  await on.clock.sleep(on.delayMs(kind), on.signal)
}

export function isFake(on: StepContext, kind: string): boolean {
  return on.plan.machine.interfaces[kind] === 'fake'
}

/** Of deploy interfaces that do nothing to a machine; `noop` takes no time for it either. */
export async function deployNothing(_args: unknown, on: StepContext): Promise<void> {
  if (isFake(on, 'deploy')) await pause(on, 'deploy')
}
