import type { Report, ReportKind } from '../../contract/messages.ts'

/** Which of the reports that wait in a long cut the cloud can do without. Pure. */

type Rule<K extends ReportKind> = { of(report: Extract<Report, { kind: K }>): string; newest: number }

/** Of those that `of` says are about the same, so many of the newest are kept. */
const rules: { [K in ReportKind]: Rule<K> | 'all' } = {
  // Each says the whole state of its plan.
  progress: { of: ({ plan }) => plan, newest: 1 },
  power: { of: ({ node }) => node, newest: 1 },
  bmc: { of: ({ node }) => node, newest: 1 },
  // Their states replace each other, but each has lines of the BMC's log that no other has.
  health: { of: ({ node }) => node, newest: 8 },
  // A reading may come in parts.
  hardware: { of: ({ node }) => node, newest: 16 },
  // Nobody waits for long.
  answer: { of: ({ node }) => node, newest: 1 },
  inventory: { of: ({ node }) => node, newest: 1 },
  // Without it nobody can log in to the BMC again.
  secret: 'all',
  certificate: { of: ({ node }) => node, newest: 1 },
  // What waits for it ends by it.
  refused: 'all',
  deploy_log: { of: ({ log }) => log, newest: 1 },
  capture: { of: ({ capture }) => capture, newest: 1 },
  // Each says the whole state of the volume.
  volume: { of: ({ node }) => node, newest: 1 },
  // Anybody on the network can make these.
  notice: { of: () => '', newest: 256 },
  discovered: { of: () => '', newest: 256 },
  unknown_machine: { of: () => '', newest: 256 },
}

/** Their numbers; `waiting` is oldest first. */
export function needless(waiting: readonly Report[]): number[] {
  const kept = new Map<string, number>()
  const dropped: number[] = []
  for (const report of waiting.toReversed()) {
    const rule = rules[report.kind] as Rule<ReportKind> | 'all'
    if (rule === 'all') continue
    const about = `${report.kind} ${rule.of(report)}`
    const count = kept.get(about) ?? 0
    if (count < rule.newest) kept.set(about, count + 1)
    else dropped.push(report.seq)
  }
  return dropped.toReversed()
}
