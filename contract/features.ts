import { firstNames } from './first-names.ts'
import { command } from './messages.ts'
import { stepNames } from './step-arguments.ts'

/** What not every appliance in the field can be told: kinds of commands and names of steps. An appliance says at its hello which of them it
 * knows; one that says nothing is of before there were any. */

const first = new Set(firstNames)
const isNew = (name: string): boolean => !first.has(name)

/** Those that this software knows. */
export const features: readonly string[] = [
  ...command.options.flatMap(({ shape }) => [...shape.kind.values]),
  ...stepNames,
].filter(isNew)

/** What of these an appliance does not know that knows those. */
export function unknownTo(known: readonly string[] | undefined, names: Iterable<string>): string[] {
  return [...new Set(names)].filter((name) => isNew(name) && features.includes(name) && !known?.includes(name))
}
