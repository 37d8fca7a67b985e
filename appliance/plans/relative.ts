import type { Plan } from '../../contract/plan.ts'
import { HardwareError } from '../hardware-error.ts'
import type { PlanParts } from './run-plan.ts'
import type { StepContext } from './step.ts'

/** Reports of a plan say the power state of its own node only: that of another is told as if it had changed by itself. */
export function onRelative(
  parts: Pick<PlanParts, 'ledger' | 'machines' | 'outbox' | 'tools'>,
  plan: Plan,
  node: string,
  note: StepContext['note'],
): ReturnType<StepContext['onRelative']> {
  const machine = plan.relatives?.find((each) => each.node === node)
  if (!machine) throw new HardwareError(`the plan does not tell what node ${node} is`)
  const own = { ...plan, node, machine }
  const { bmc, power, delayMs } = parts.tools(own)
  return {
    plan: own,
    bmc,
    power,
    delayMs,
    note: (text, percent) => note(`node ${machine.name ?? node}: ${text}`, percent),
    observed({ power }) {
      if (!power) return
      parts.ledger.transaction(() => {
        parts.machines.setPower(node, power)
        parts.outbox.append({ kind: 'power', node, power_state: power })
      })
    },
  }
}
