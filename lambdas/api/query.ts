import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { shown } from '../../contract/api/schema-fault.ts'
import { unrecognizedBoolean } from '../../contract/stored.ts'
import { pick } from '../../contract/api/views.ts'
import type { Call } from './context.ts'

/** The parts of a query string that all collections share. */

const MAX_LIMIT = 1000
/** The order that all lists are kept in. */
const creation = ['id', 'created_at']

export interface Paging {
  limit: number
  marker: string | undefined
  descending: boolean
  /** The field to sort by; undefined: by creation. */
  sort: string | undefined
}

const plural = ['limit', 'marker', 'sort_key', 'sort_dir', 'fields', 'detail', 'bloomery']
export const singular = ['fields', 'bloomery']

/** Refuses a parameter that isn't there: a filter that is silently ignored shows too much. */
export function onlyKnown(call: Call, known: readonly string[], common: readonly string[] = plural): void {
  const unknown = Object.keys(call.req.query()).filter((name) => !known.includes(name) && !common.includes(name))
  if (unknown.length > 0) throw new UserError(400, `Unexpected arguments: ${unknown.join(', ')}`)
  for (const [name, values] of Object.entries(call.req.queries()))
    if (values.length > 1) throw new UserError(400, `Expected string for ${name}: ${shown(values)}`)
}

const pageSize = z.coerce.number().int().min(1)

export function paging(call: Call, sortable: readonly string[] = creation): Paging {
  const { limit, marker, sort_key: key = 'id', sort_dir: direction = 'asc' } = call.req.query()
  const size = pageSize.safeParse(limit ?? MAX_LIMIT)
  if (Number.isNaN(Number(limit ?? 0)) || !Number.isInteger(Number(limit ?? 0)))
    throw new UserError(400, `Expected an integer for limit: ${limit?.slice(0, 255)}`)
  if (!size.success) throw new UserError(400, 'Limit must be positive')
  if (!creation.includes(key) && !sortable.includes(key))
    throw new UserError(
      400,
      `The sort_key value ${key} is an invalid field for sorting: there is ${sortable.join(', ')}.`,
    )
  if (direction !== 'asc' && direction !== 'desc')
    throw new UserError(400, `Invalid sort direction: ${direction}. Acceptable values are 'asc' or 'desc'`)
  return {
    limit: Math.min(size.data, MAX_LIMIT),
    marker,
    descending: direction === 'desc',
    sort: creation.includes(key) ? undefined : key,
  }
}

/** Booleans as OpenStack takes them. */
export function flag(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined
  const text = value.trim().toLowerCase()
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(text)) return true
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(text)) return false
  throw new UserError(400, `Invalid ${name}: ${unrecognizedBoolean.replace(',', ` ${shown(value)},`)}`)
}

/** Which fields were asked for by name; undefined: none. */
export function fieldsOf(
  call: Call,
  known: readonly string[],
  refusal = (unknown: readonly string[]): string => `Field(s) "${unknown.join(', ')}" are not valid`,
): string[] | undefined {
  const asked = call.req.query('fields')
  if (asked === undefined) return undefined
  const names = asked
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new UserError(400, refusal(unknown))
  return names
}

/** How a list is to be shown: `detail`, `fields`, or else its short form. */
export function shape(call: Call, known: readonly string[], short: readonly string[], detailed: boolean) {
  if (detailed && call.req.query('fields') !== undefined) throw new UserError(400, 'Unexpected arguments: fields')
  const fields = fieldsOf(call, known)
  const detail = flag('detail', call.req.query('detail'))
  if (fields && detail) throw new UserError(400, 'Can not specify ?detail=True and fields in the same request.')
  const shown = fields ?? (detail || detailed ? undefined : short)
  return {
    fields: shown,
    cut: (view: Record<string, unknown>) => (shown === undefined ? view : pick(view, [...shown, 'operation'])),
  }
}

/** A page: with the address of the next one, if there may be one. */
export function collection(call: Call, name: string, path: string, items: unknown[], next: string | undefined) {
  if (next === undefined) return { [name]: items }
  const query = new URLSearchParams(call.req.query())
  query.set('limit', query.get('limit') ?? String(MAX_LIMIT))
  query.set('marker', next)
  const detailed = call.req.path.endsWith('/detail') ? '/detail' : ''
  return { [name]: items, next: `${call.var.showing.base}/v1/${path}${detailed}?${query.toString()}` }
}
