import type { Progress } from '../../contract/messages.ts'
import { stepName, type Step } from '../../contract/plan.ts'
import type { Entry } from '../ledger/journal.ts'
import { onRelative } from './relative.ts'
import { report } from './report.ts'
import type { PlanParts } from './run-plan.ts'
import type { StepContext } from './step.ts'

/** At most one progress report in this time for the same kind of note. */
const NOTE_MS = 5000

/** What a step of this plan gets, `told` each of its notes; what it says and finds goes into the ledger at once. */
export function contextOf(
  parts: PlanParts,
  entry: Entry,
  step: Step,
  told: (note: string) => void,
): Omit<StepContext, 'signal' | 'deadline'> {
  const { clock, journal, ledger, machines } = parts
  let notedAt = 0
  let noted = ''
  const on: Omit<StepContext, 'signal' | 'deadline'> = {
    ...parts.tools(entry.plan),
    plan: entry.plan,
    clock,
    machines,
    started: entry.stepStarted ?? clock.now(),
    memo: {
      get: (name) => entry.memo[name],
      set: (name, value) => {
        entry.memo[name] = value
        journal.save(entry)
        parts.crashPoint(`memo of ${stepName(step)}`)
      },
    },
    note(text, percent) {
      told(text)
      const recent = clock.now().getTime() - notedAt < NOTE_MS
      if ((text === noted && percent === undefined) || (recent && shape(text) === shape(noted))) return
      noted = text
      notedAt = clock.now().getTime()
      ledger.soon(() => report(parts, entry, phaseOf(step), text, percent))
    },
    observed({ power, bootDevice }) {
      if (power) machines.setPower(entry.plan.node, power)
      if (bootDevice) entry.bootDevice = bootDevice
    },
    onRelative: (node) => onRelative(parts, entry.plan, node, on.note),
    unheld: () => journal.isUnheld(entry.plan.id, entry.step),
    found: (inventory, plugin_data) => {
      const { id, node, generation } = entry.plan
      ledger.transaction(() =>
        parts.outbox.append({
          kind: 'inventory',
          node,
          generation,
          plan: id,
          inventory,
          ...(plugin_data ? { plugin_data } : {}),
        }),
      )
    },
    rotated: (key, value) => {
      const { id, node, generation } = entry.plan
      ledger.transaction(() => {
        machines.setDriverInfo(node, key, value)
        parts.outbox.append({ kind: 'secret', node, generation, plan: id, key, value })
      })
    },
    trusted: (fingerprint) => {
      const { id, node, generation } = entry.plan
      ledger.transaction(() => {
        machines.setDriverInfo(node, 'redfish_certificate_fingerprint', fingerprint)
        parts.outbox.append({ kind: 'certificate', node, generation, plan: id, fingerprint })
      })
    },
    noticed: (subject, text) => {
      const { node } = entry.plan
      ledger.soon(() => parts.outbox.append({ kind: 'notice', subject, node, text: text.slice(0, 1024) }))
    },
    answered: (answer) => {
      const { id, node, generation } = entry.plan
      ledger.soon(() => parts.outbox.append({ kind: 'answer', node, generation, plan: id, answer }))
    },
    read: (facts) => {
      const { id, node, generation } = entry.plan
      ledger.soon(() => parts.outbox.append({ kind: 'hardware', node, generation, plan: id, facts }))
    },
  }
  return on
}

export function phaseOf(step: Step): Progress['phase'] {
  if (stepName(step) === 'plan.hold') return 'held'
  return step.waits ? 'waiting' : 'running'
}

/** Notes that differ in figures only are of one shape. */
function shape(note: string): string {
  return note.replace(/[\d.]+/g, '#')
}
