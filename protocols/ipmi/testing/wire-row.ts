import type { Codec } from '../fields.ts'

/** A value and how it looks on the wire, to be tried both ways. */
export interface WireRow {
  name: string
  codec: Codec<unknown>
  value: unknown
  wire: string
}

export function wireRow<T>(name: string, codec: Codec<T>, value: T, wire: string): WireRow {
  return { name, codec: codec as Codec<unknown>, value, wire }
}
