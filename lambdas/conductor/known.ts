import { UserError } from '../../contract/api/faults.ts'
import { unknownTo } from '../../contract/features.ts'
import { type Plan, stepName } from '../../contract/plan.ts'
import type { Appliance } from '../../contract/resources.ts'

/** Refuses what this appliance would have to refuse, in the same words, before anything is sent. */
export function requireKnown({ name, software, features }: Appliance, names: Iterable<string>): void {
  const [unknown] = unknownTo(features, names)
  if (unknown !== undefined)
    throw new UserError(409, `Appliance ${name} (software ${software}) does not know ${unknown}: update it.`)
}

/** What an appliance must know to carry a plan out. */
export function namesIn({ steps, on_failure }: Pick<Plan, 'steps' | 'on_failure'>): string[] {
  return ['run', ...[...steps, ...on_failure].map(stepName)]
}
