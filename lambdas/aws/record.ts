import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { AttributeValue as StreamAttributeValue } from 'aws-lambda'
import { indexes, type Item, type Key } from '../platform.ts'

/** An item as DynamoDB holds it: flat attributes, of which `<index>_pk` and `<index>_sk` put it into that index.
 * `value` is JSON text, not a map: DynamoDB nests no deeper than 32 levels, which a request body of the API may use up. */
export type Row = Record<string, string | number>

/** Each count is an attribute of its own, so that DynamoDB can add to it. */
const COUNT = 'count#'
export const countName = (name: string): string => `${COUNT}${name}`
/** The value of an item that has none. */
export const NOTHING = JSON.stringify(null)

/** DynamoDB refuses items over 400 KB, keys and names included. */
const VALUE_LIMIT = 350 * 1024

export function rowOf(item: Item): Row {
  const value = JSON.stringify(item.value)
  const size = Buffer.byteLength(value)
  if (size > VALUE_LIMIT) {
    throw new Error(`item ${item.pk} ${item.sk}: its value has ${size} bytes, at most ${VALUE_LIMIT} can be stored`)
  }
  const row: Row = { pk: item.pk, sk: item.sk, version: item.version, value }
  for (const [name, count] of Object.entries(item.counts ?? {})) row[countName(name)] = count
  if (item.expires !== undefined) row['expires'] = item.expires
  for (const index of indexes) {
    const key = item.by?.[index]
    if (!key) continue
    row[`${index}_pk`] = key.pk
    row[`${index}_sk`] = key.sk
  }
  return row
}

export function itemOf(row: Row): Item {
  const by: Item['by'] = {}
  for (const index of indexes) {
    const pk = row[`${index}_pk`]
    if (pk !== undefined) by[index] = { pk: String(pk), sk: String(row[`${index}_sk`]) }
  }
  const item: Item = { ...keyOf(row), version: Number(row['version']), value: JSON.parse(String(row['value'])) }
  if (Object.keys(by).length > 0) item.by = by
  const counts = Object.entries(row).filter(([name]) => name.startsWith(COUNT))
  if (counts.length > 0)
    item.counts = Object.fromEntries(counts.map(([name, count]) => [name.slice(COUNT.length), Number(count)]))
  if (row['expires'] !== undefined) item.expires = Number(row['expires'])
  return item
}

export function keyOf(row: Row): Key {
  return { pk: String(row['pk']), sk: String(row['sk']) }
}

/** Attributes where no document client has unwrapped them: in stream records and in the reasons of a cancelled transaction. */
export function rowOfAttributes(attributes: Record<string, AttributeValue | StreamAttributeValue>): Row {
  const row: Row = {}
  for (const [name, { S, N }] of Object.entries(attributes)) {
    if (S !== undefined) row[name] = S
    else if (N !== undefined) row[name] = Number(N)
  }
  return row
}
