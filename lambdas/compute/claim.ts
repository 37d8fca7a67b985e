import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform, Table } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { BUSY, isFree } from '../store/free-nodes.ts'
import { listFreeNodes } from '../store/list-free-nodes.ts'
import { type Counts, readCounts } from '../store/node-counts.ts'
import { changed } from './change-server.ts'
import { placement } from './groups.ts'
import { offers } from './offers.ts'
import { fits, noHost, Tally, type Wish } from './schedule.ts'
import { standingOf } from './standing.ts'
import { serverStore } from './store.ts'
import { wishOf } from './wish.ts'

/** How many are tried, one after the other, before they are looked for again. */
const TRIES = 20
const ROUNDS = 10

/** Finds the server a node and claims it: node and server are written in one transaction, so that no node is ever two servers'. Returns why
 * there is none; undefined: it has one, or has to be asked for again when more is known. */
export async function claimNode(platform: Platform, server: Server): Promise<string | undefined> {
  const { table } = platform
  for (let round = 0; round < ROUNDS; round += 1) {
    const wish = await wishOf(table, server)
    let tries = 0
    for await (const { uuid } of offers(table, wish, `${round} ${server.uuid}`)) {
      if (await claim(platform, uuid, server.uuid)) return undefined
      tries += 1
      if (tries === TRIES) break
    }
    if (tries > 0) continue
    return (await listFreeNodes(platform)) ? explain(table, wish) : undefined
  }
  return noHost(numbersOf(await readCounts(table, null)).total, [])
}

async function explain(table: Table, wish: Wish): Promise<string> {
  const { counts, kinds, named } = await standingOf(table, wish, null)
  const tally = new Tally()
  for (const { model, nodes } of kinds) tally.note(model, wish, nodes)
  for (const node of named) tally.note(node, wish)
  const { total, busy } = numbersOf(counts)
  return noHost(total, [...(busy > 0 ? [{ filter: 'available', nodes: busy }] : []), ...tally.dropped])
}

function numbersOf(counts: Counts): { total: number; busy: number } {
  const sum = (numbers: number[]): number => numbers.reduce((all, each) => all + each, 0)
  const sites = [...counts.values()]
  return {
    total: sum(sites.flatMap((own) => Object.values(own))),
    busy: sum(sites.map((own) => own[BUSY] ?? 0)),
  }
}

/** Whether the server needs no other node: it has this one, or wants none any more. */
async function claim(platform: Platform, node: string, uuid: string): Promise<boolean> {
  const after = await changeNode(platform, node, async (before: Node) => {
    const server = await serverStore.get(platform.table, uuid)
    if (server?.task !== 'scheduling' || !isFree(before)) return undefined
    if (!fits(before, await wishOf(platform.table, server))) return undefined
    const claimed_at = platform.clock.now().toISOString()
    const claimed = changed(platform, server, { node, site: before.conductor_group, claimed_at, task: 'networking' })
    return {
      node: { ...before, instance_uuid: uuid, instance_name: server.name.slice(0, 255) },
      writes: [...serverStore.writes(server, claimed), ...(await placement(platform, server, before))],
    }
  })
  if (after?.instance_uuid === uuid) platform.log.info({ server: uuid, node }, 'node claimed')
  return (await serverStore.get(platform.table, uuid))?.task !== 'scheduling'
}
