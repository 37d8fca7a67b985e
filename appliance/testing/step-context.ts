import type { Plan } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import type { StepContext } from '../plans/step.ts'

/** What agents' calls use of a step's context; `memo` outlives a crash as the journal's does. */
export function stepContext(plan: Plan, clock: Clock, signal: AbortSignal, memo = new Map<string, string>()) {
  const notes: { text: string; percent?: number }[] = []
  const on = {
    plan,
    clock,
    signal,
    started: clock.now(),
    note: (text: string, percent?: number) => void notes.push({ text, percent }),
    memo: { get: (key: string) => memo.get(key), set: (key: string, value: string) => void memo.set(key, value) },
  } as unknown as StepContext
  return { on, notes, memo }
}
