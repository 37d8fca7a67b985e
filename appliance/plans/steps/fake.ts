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

/** Steps that only fake interfaces have yet. */
export function imagined(kind: FakeDelay): (_args: unknown, on: StepContext) => Promise<void> {
  return (_args, on) => pause(on, kind)
}
