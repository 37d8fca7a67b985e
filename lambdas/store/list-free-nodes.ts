import type { Node } from '../../contract/resources.ts'
import { ConflictError, type Page, type Platform, type Table, type Write } from '../platform.ts'
import { changeNode } from './change-node.ts'
import { kindOf } from './free-nodes.ts'

/** Brings nodes that were written before there was a list of free ones, or when kinds were told apart by something else, into that list and its
 * counts: some at a time, resumed where it was left, once for each version of it. */

/** To be counted up when `kindOf` says something else of a node than before. */
const VERSION = 1
const KEY = { pk: 'free-node-listing', sk: 'progress' }
const PAGE = 100
/** How many nodes one call looks at. */
const MOST = 1000
const AT_ONCE = 10

interface Progress {
  listing: number
  done: boolean
  after?: Page['next']
}

type Needs = Pick<Platform, 'table' | 'clock' | 'ids' | 'log'>

/** Whether all nodes are listed; else goes on with it. Several may: what one has done the other finds done. */
export async function listFreeNodes(platform: Needs): Promise<boolean> {
  const { table, log } = platform
  for (let looked = 0; looked < MOST; looked += PAGE) {
    const item = await table.get(KEY)
    const progress = item?.value as Progress | undefined
    const isOurs = progress?.listing === VERSION
    if (isOurs && progress.done) return true
    if (!isOurs && (await dropOldList(table))) continue
    const after = isOurs ? progress.after : undefined
    const { items, next } = await table.query({ index: 'all', pk: 'nodes', limit: PAGE, after })
    const nodes = items.map(({ value }) => value as Node)
    await eachOf(nodes.filter(isAmiss), ({ uuid }) =>
      changeNode(platform, uuid, (node) => (isAmiss(node) ? { node } : undefined)),
    )
    const value: Progress = { listing: VERSION, done: next === undefined, ...(next && { after: next }) }
    const put = { ...KEY, version: (item?.version ?? 0) + 1, value }
    await table.write([{ put, expect: item?.version ?? 'absent' }]).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error
    })
    if (value.done) log.info({ listing: VERSION }, 'free nodes are listed')
  }
  return false
}

const isAmiss = (node: Node): boolean => node.counted_as !== kindOf(node)

async function eachOf<T>(values: readonly T[], work: (value: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < values.length; at += AT_ONCE) await Promise.all(values.slice(at, at + AT_ONCE).map(work))
}

/** Before kinds were counted, each free node was in a list of all and in one of its site. False: nothing of it is left. */
async function dropOldList(table: Table): Promise<boolean> {
  const pk = 'free-nodes'
  const { items } = await table.query({ pk, limit: 50 })
  const writes = items.flatMap(({ sk, value }): Write[] => [
    { delete: { pk, sk } },
    { delete: { pk: `${pk}#${(value as Node).conductor_group}`, sk } },
  ])
  if (writes.length > 0) await table.write(writes)
  return writes.length > 0
}
