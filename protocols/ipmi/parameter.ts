import type { Codec } from './fields.ts'

/** One of a numbered list that a pair of commands gets and sets (boot options, LAN configuration): what its data mean. */
export interface Parameter<T> {
  readonly selector: number
  readonly data: Codec<T>
}

export function parameter<T>(selector: number, data: Codec<T>): Parameter<T> {
  return { selector, data }
}
