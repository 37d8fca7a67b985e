import type { Node } from '../../contract/resources.ts'
import type { Table } from '../platform.ts'
import { BUSY, factsOf, type FreeNode, isFree } from '../store/free-nodes.ts'
import { getNode } from '../store/nodes.ts'
import { type Counts, readCounts } from '../store/node-counts.ts'
import type { Wish } from './schedule.ts'

/** What is free, as a wish may look at it: by the kind, for what is alike fits alike, and one by one those that the wish has by name. No more nodes are
 * read than there are kinds and names. */
export interface Standing {
  counts: Counts
  kinds: Alike[]
  named: FreeNode[]
}
export interface Alike {
  site: string
  kind: string
  nodes: number
  /** Fits as each of them does. It has no uuid. */
  model: FreeNode
}

const AT_ONCE = 25

/** `prefix`: kinds that begin with it are all that is wanted. */
export async function standingOf(table: Table, wish: Wish, site: string | null, prefix = ''): Promise<Standing> {
  const counts = await readCounts(table, site)
  const named = (await nodesNamed(table, wish)).filter(
    (node) => isFree(node) && node.counted_as?.startsWith(prefix) && counts.has(node.conductor_group),
  )
  const others: Array<Omit<Alike, 'model'>> = []
  for (const [at, own] of counts)
    for (const kind in own) {
      if (!kind.startsWith(prefix) || kind === BUSY) continue
      const aside = named.filter((node) => node.conductor_group === at && node.counted_as === kind).length
      const nodes = own[kind]! - aside
      if (nodes > 0) others.push({ site: at, kind, nodes })
    }
  return { counts, kinds: await modelled(table, others), named }
}

/** Nodes by which a wish tells one from another that is like it. */
async function nodesNamed(table: Table, { tried, zone, aggregates, group }: Wish): Promise<Node[]> {
  const hosts = [...(zone !== null && 'hosts' in zone ? zone.hosts : []), ...aggregates.flatMap((each) => each.hosts)]
  const places = (group?.places ?? []).flatMap((place) => place.split('/node ')[1] ?? [])
  const names = [...new Set([...tried, ...hosts, ...places])]
  return (await inTurns(names, (name) => getNode(table, name))).filter((node) => node !== undefined)
}

async function modelled(table: Table, counts: ReadonlyArray<Omit<Alike, 'model'>>): Promise<Alike[]> {
  const sites = new Map(counts.map(({ kind, site }) => [kind, site]))
  const facts = new Map(
    await inTurns([...sites], async ([kind, site]) => [kind, await factsOf(table, site, kind)] as const),
  )
  return counts.flatMap((each) => {
    const found = facts.get(each.kind)
    return found ? [{ ...each, model: { ...found, uuid: '', conductor_group: each.site } }] : []
  })
}

async function inTurns<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < values.length; at += AT_ONCE)
    results.push(...(await Promise.all(values.slice(at, at + AT_ONCE).map(work))))
  return results
}
