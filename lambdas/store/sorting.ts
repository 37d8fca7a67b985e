import { UserError } from '../../contract/api/faults.ts'
import type { Table } from '../platform.ts'
import { type Listed, type Listing, valuesIn } from './paging.ts'

/** Lists are kept in order of creation. Any other order is made by reading the list whole, which is exact and is done up to this
 * many items; of more, the caller has to narrow the list by a filter. */
const SORTABLE = 20_000

export interface Sorting<T> {
  name: string
  by: (value: T) => unknown
}

export async function sortedList<T extends { uuid: string }>(
  table: Table,
  { index, pk, limit, descending = false, keep, brief }: Listing<T>,
  { name, by }: Sorting<T>,
  after: T | undefined,
): Promise<Listed<T>> {
  const kept: T[] = []
  let examined = 0
  for await (const value of valuesIn<T>(table, { index, pk, brief })) {
    examined += 1
    if (examined > SORTABLE)
      throw new UserError(400, `More than ${SORTABLE} items can't be sorted by ${name}: narrow the list by a filter.`)
    if (keep?.(value) ?? true) kept.push(value)
  }
  const sorted = sortBy(kept, by, descending)
  const from = after === undefined ? 0 : sorted.findIndex(({ uuid }) => uuid === after.uuid) + 1
  const values = sorted.slice(from, from + limit)
  return { values, marker: values.length === limit ? values.at(-1) : undefined }
}

/** Absent values come first, as in a database; equal ones in order of creation, either way around. */
export function sortBy<T>(values: readonly T[], by: (value: T) => unknown, descending: boolean): T[] {
  const sign = descending ? -1 : 1
  return [...values]
    .map((value, at) => ({ value, at, key: by(value) }))
    .sort((a, b) => sign * (compare(a.key, b.key) || a.at - b.at))
    .map(({ value }) => value)
}

function compare(a: unknown, b: unknown): number {
  if (a === null || a === undefined || b === null || b === undefined)
    return Number(a !== null && a !== undefined) - Number(b !== null && b !== undefined)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [text(a), text(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
