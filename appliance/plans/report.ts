import type { Progress } from '../../contract/messages.ts'
import type { Entry } from '../ledger/journal.ts'
import type { PlanParts } from './run-plan.ts'

type ReportParts = Pick<PlanParts, 'outbox' | 'machines' | 'journal' | 'seenOfBoot' | 'screenOf'>

/** Writes a progress report and its number together; callers hold a transaction. */
export function report(
  parts: ReportParts,
  entry: Entry,
  phase: Progress['phase'],
  note: string | null,
  percent?: number,
): void {
  const { plan } = entry
  const screen = phase === 'failed' ? (parts.screenOf(plan.node) ?? []) : []
  const boot = entry.stepStarted ? parts.seenOfBoot(plan.node, begunAt(entry, entry.stepStarted)) : []
  entry.ordinal += 1
  parts.outbox.append({
    kind: 'progress',
    node: plan.node,
    generation: plan.generation,
    lane: plan.lane,
    plan: plan.id,
    ordinal: entry.ordinal,
    phase,
    step: Math.min(entry.step, plan.steps.length - 1),
    percent: percent === undefined ? null : Math.round(percent * 10) / 10,
    note: note?.slice(0, 4000) ?? null,
    power_state: parts.machines.powerOf(plan.node),
    boot_device: entry.bootDevice ?? null,
    seconds: phase === 'done' || phase === 'failed' ? entry.seconds : [],
    ...(boot.length > 0 && { boot }),
    ...(screen.length > 0 && { screen }),
  })
  parts.journal.save(entry)
}

/** When the plan began, by what its steps took. */
function begunAt({ seconds }: Entry, stepStarted: Date): Date {
  const before = seconds.reduce((sum, each) => sum + each, 0)
  return new Date(stepStarted.getTime() - before * 1000)
}

export function close(
  parts: ReportParts,
  entry: Entry,
  phase: 'done' | 'failed' | 'refused',
  note: string | null,
): void {
  report(parts, entry, phase, note)
  entry.state = 'closed'
  parts.journal.save(entry)
}
