import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { spread } from './spread.ts'
import { items } from './paging.ts'

/** How many nodes of each kind (free-nodes.ts) a site has. A site's counts are in several items, by its nodes, so that many of its nodes may change at
 * once; the items are in several partitions, by site. A hundred sites are read in as many queries as there are partitions. */

const PARTITIONS = 8
const ROWS = 2
const PREFIX = 'node-counts#'

export type Counts = ReadonlyMap<string, Readonly<Record<string, number>>>

const partition = (number: number): string => `${PREFIX}${number}`
const partitionOf = (site: string): string => partition(spread(site) % PARTITIONS)
const rowOf = (site: string, node: string): Key => ({ pk: partitionOf(site), sk: `${site}#${spread(node) % ROWS}` })
const siteOf = ({ sk }: Key): string => sk.slice(0, sk.lastIndexOf('#'))

export const isCountKey = ({ pk }: Key): boolean => pk.startsWith(PREFIX)

/** So many more or fewer of a kind at a site. */
export function countWrites(changes: ReadonlyArray<{ site: string; node: string; kind: string; by: number }>): Write[] {
  const rows = new Map<string, { count: Key; by: Record<string, number> }>()
  for (const { site, node, kind, by } of changes) {
    const count = rowOf(site, node)
    const row = rows.get(count.sk) ?? { count, by: {} }
    row.by[kind] = (row.by[kind] ?? 0) + by
    rows.set(count.sk, row)
  }
  return [...rows.values()]
}

/** Of one site, or of all, by site: how many nodes it has of each kind. */
export async function readCounts(table: Table, site: string | null): Promise<Counts> {
  const rows = site === null ? await allRows(table) : await rowsIn(table, partitionOf(site), `${site}#`)
  const counts = new Map<string, Record<string, number>>()
  for (const row of rows) {
    const at = siteOf(row)
    if (site !== null && at !== site) continue
    const [before, own] = [counts.get(at), row.counts ?? {}]
    if (!before) counts.set(at, own)
    else for (const kind in own) before[kind] = (before[kind] ?? 0) + own[kind]!
  }
  return counts
}

async function allRows(table: Table): Promise<Item[]> {
  const found = await Promise.all(Array.from({ length: PARTITIONS }, (_, at) => rowsIn(table, partition(at))))
  return found.flat()
}

async function rowsIn(table: Table, pk: string, prefix?: string): Promise<Item[]> {
  const rows: Item[] = []
  for await (const row of items(table, { pk, ...(prefix === undefined ? {} : { prefix }) })) rows.push(row)
  return rows
}

/** Counts that have come down to nothing are no use, and would pile up where nodes' properties change all the time. */
export async function dropZeros(table: Table): Promise<void> {
  for (const row of await allRows(table)) {
    const { pk, sk, version } = row
    const left = Object.entries(row.counts ?? {}).filter(([, nodes]) => nodes !== 0)
    if (left.length === Object.keys(row.counts ?? {}).length) continue
    const trimmed = { ...row, version: version + 1, counts: Object.fromEntries(left) }
    const write: Write = left.length === 0 ? { delete: { pk, sk }, expect: version } : { put: trimmed, expect: version }
    await table.write([write]).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error // it was counted up or down meanwhile: another time
    })
  }
}
