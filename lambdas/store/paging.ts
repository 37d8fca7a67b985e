import type { IndexName, Item, Query, Table } from '../platform.ts'

/** How many items one request may look at when its filters have no index of their own: a page then comes back short, with a marker. */
const EXAMINE = 5000
const CHUNK = 200

export interface Listing<T> {
  index: IndexName
  pk: string
  limit: number
  descending?: boolean
  /** Resume behind this item. */
  after?: Item
  keep?: (value: T) => boolean
  /** T is what an item's brief has. */
  brief?: boolean
}

/** `marker` is where the next page begins, undefined at the end. */
export interface Listed<T> {
  values: T[]
  marker: T | undefined
}

/** One page over an index. Values are what our own code wrote, so they are trusted to have the type of their key. */
export async function list<T>(
  table: Table,
  { index, pk, limit, descending, after, keep, brief }: Listing<T>,
): Promise<Listed<T>> {
  const values: T[] = []
  // One that has left this list, or was in another, has its place here all the same: lists are in one order.
  const place = after?.by?.[index] ?? after?.by?.all
  let resume: Query['after'] = after && { key: after, at: place && { pk, sk: place.sk } }
  for (let examined = 0; ;) {
    // Filters mostly keep what they see; only when one turns out to be selective is more read at once.
    const chunk = examined === 0 ? limit : Math.max(limit, CHUNK)
    const page = await valuesOf(table, { index, pk, limit: chunk, descending, after: resume }, brief)
    for (const value of page.values) {
      examined += 1
      if (keep === undefined || keep(value as T)) values.push(value as T)
      if (values.length === limit || examined === EXAMINE) return { values, marker: value as T }
    }
    if (page.next === undefined) return { values, marker: undefined }
    resume = page.next
  }
}

async function valuesOf(
  table: Table,
  query: Query & { index: IndexName },
  brief = false,
): Promise<{ values: unknown[]; next: Query['after'] }> {
  if (brief && table.briefs) return table.briefs(query)
  const { items: found, next } = await table.query(query)
  return { values: found.map(({ value }) => value), next }
}

/** The values of an index one by one, read some at a time. */
export async function* valuesIn<T>(table: Table, { index, pk, brief }: Pick<Listing<T>, 'index' | 'pk' | 'brief'>) {
  let after: Query['after']
  do {
    const page = await valuesOf(table, { index, pk, limit: CHUNK, after }, brief)
    for (const value of page.values) yield value as T
    after = page.next
  } while (after)
}

/** Everything under a key, however many pages that takes. For what is few by nature: a node's ports, a site's appliances. */
export async function all<T>(table: Table, query: Omit<Query, 'limit' | 'after'>): Promise<T[]> {
  const values: T[] = []
  for await (const item of items(table, query)) values.push(item.value as T)
  return values
}

/** Items one by one, read a page at a time. */
export async function* items(table: Table, query: Omit<Query, 'limit' | 'after'>): AsyncGenerator<Item> {
  let after: Query['after']
  do {
    const page = await table.query({ ...query, limit: CHUNK, after })
    yield* page.items
    after = page.next
  } while (after)
}
