import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform, Table } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { type FreeNode, freeNodes, isFree } from '../store/free-nodes.ts'
import { type BriefNode, nodeList } from '../store/nodes.ts'
import { valuesIn } from '../store/paging.ts'
import { changed } from './change-server.ts'
import { placement } from './groups.ts'
import { costOf, type Dropped, fits, noHost, Tally, wantedClasses, type Wish } from './schedule.ts'
import { serverStore } from './store.ts'
import { wishOf } from './wish.ts'

/** How many of the best are tried, one after the other, before they are looked for again. */
const TRIES = 20
const ROUNDS = 10

/** Finds the server a node and claims it: node and server are written in one transaction, so that no node is ever two servers'. Returns why
 * there is none. */
export async function claimNode(platform: Platform, server: Server): Promise<string | undefined> {
  const { table } = platform
  let wish = await wishOf(table, server)
  for (let round = 0; round < ROUNDS; round += 1) {
    const best = await bestFor(table, wish, server.uuid)
    for (const { uuid } of best) if (await claim(platform, uuid, server.uuid)) return undefined
    if (best.length === 0) return explain(table, wish)
    wish = await wishOf(table, server)
  }
  return noHost(await count(table), [])
}

/** The best first. No more is read than it takes, unless a wish of its group or the lack of a class makes an order of its own. */
export async function bestFor(table: Table, wish: Wish, seed: string): Promise<FreeNode[]> {
  const [resourceClass] = wantedClasses(wish.flavor)
  const inOrder = resourceClass !== undefined && !wish.group?.policy.startsWith('soft-')
  const found: FreeNode[] = []
  for await (const node of freeNodes(table, { site: siteOf(wish), resourceClass }, seed)) {
    if (fits(node, wish)) found.push(node)
    if (inOrder && found.length === TRIES) break
  }
  return inOrder ? found : found.sort((a, b) => costOf(a, wish) - costOf(b, wish)).slice(0, TRIES)
}

/** All that fits is there. */
function siteOf({ zone, group }: Wish): string | null {
  if (zone !== null && 'site' in zone) return zone.site
  return group?.policy === 'affinity' ? (group.places[0]?.split('/')[0] ?? null) : null
}

async function explain(table: Table, wish: Wish): Promise<string> {
  const tally = new Tally()
  let free = 0
  for await (const node of freeNodes(table, { site: null, resourceClass: undefined }, '')) {
    free += 1
    tally.note(node, wish)
  }
  const total = Math.max(await count(table), free)
  const busy: Dropped = total > free ? [{ filter: 'available', nodes: total - free }] : []
  return noHost(total, [...busy, ...tally.dropped])
}

async function count(table: Table): Promise<number> {
  let nodes = 0
  for await (const _ of valuesIn<BriefNode>(table, { ...nodeList({}), brief: true })) nodes += 1
  return nodes
}

/** Whether the server needs no other node: it has this one, or wants none any more. */
async function claim(platform: Platform, node: string, uuid: string): Promise<boolean> {
  const after = await changeNode(platform, node, async (before: Node) => {
    const server = await serverStore.get(platform.table, uuid)
    if (server?.task !== 'scheduling' || !isFree(before)) return undefined
    if (!fits(before, await wishOf(platform.table, server))) return undefined
    const claimed = changed(platform, server, { node, site: before.conductor_group, task: 'networking' })
    return {
      node: { ...before, instance_uuid: uuid, instance_name: server.name.slice(0, 255) },
      writes: [...serverStore.writes(server, claimed), ...(await placement(platform, server, before))],
    }
  })
  if (after?.instance_uuid === uuid) platform.log.info({ server: uuid, node }, 'node claimed')
  return (await serverStore.get(platform.table, uuid))?.task !== 'scheduling'
}
