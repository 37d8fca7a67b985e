import type { Key, Query } from '../platform.ts'

/** A query in DynamoDB's terms, which allow one condition on the sort key, and a start only within it. */
export interface KeyCondition {
  expression: string
  names: Record<string, string>
  values: Record<string, string>
  start: Record<string, string> | undefined
}

/** What DynamoDB takes for a key, in bytes of UTF-8; it refuses to look for what can't be there. */
const LONGEST = { pk: 2048, sk: 1024 }

export function mayBe({ pk, sk }: Partial<Key>): boolean {
  return Buffer.byteLength(pk ?? '') <= LONGEST.pk && Buffer.byteLength(sk ?? '') <= LONGEST.sk
}

/** Undefined: nothing can match. */
export function keyCondition(query: Query): KeyCondition | undefined {
  if (!mayBe({ pk: query.pk })) return undefined
  const attribute = query.index ? { pk: `${query.index}_pk`, sk: `${query.index}_sk` } : { pk: 'pk', sk: 'sk' }
  const names: Record<string, string> = { '#pk': attribute.pk }
  const values: Record<string, string> = { ':pk': query.pk }
  const prefix = query.prefix ?? ''
  const { through } = query

  let range: string | undefined
  if (through !== undefined && !through.startsWith(prefix)) {
    if (before(through, prefix)) return undefined
    if (prefix !== '') range = 'begins_with(#sk, :prefix)'
  } else if (through !== undefined) {
    range = prefix === '' ? '#sk <= :through' : '#sk BETWEEN :prefix AND :through'
  } else if (prefix !== '') {
    range = 'begins_with(#sk, :prefix)'
  }
  if (range) {
    names['#sk'] = attribute.sk
    if (range.includes(':prefix')) values[':prefix'] = prefix
    if (range.includes(':through') && through !== undefined) values[':through'] = through
  }

  const place = position(query)
  const where = place && placed(place.sk, prefix, through)
  if (where && where !== 'inside' && (where === 'above') !== Boolean(query.descending)) return undefined
  const start =
    place && where === 'inside' && query.after
      ? { ...query.after.key, [attribute.pk]: place.pk, [attribute.sk]: place.sk }
      : undefined
  return { expression: range ? `#pk = :pk AND ${range}` : '#pk = :pk', names, values, start }
}

function position(query: Query): Key | undefined {
  if (!query.after) return undefined
  if (!query.index) return query.after.key
  if (!query.after.at) throw new Error(`query of index ${query.index}: "after" lacks "at", the key in that index`)
  return query.after.at
}

function placed(sk: string, prefix: string, through: string | undefined): 'below' | 'inside' | 'above' {
  if (!sk.startsWith(prefix)) return before(sk, prefix) ? 'below' : 'above'
  return through !== undefined && before(through, sk) ? 'above' : 'inside'
}

/** DynamoDB orders strings by their UTF-8 bytes; JavaScript's < by UTF-16 units. */
function before(left: string, right: string): boolean {
  return Buffer.compare(Buffer.from(left), Buffer.from(right)) < 0
}
