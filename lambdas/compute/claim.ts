import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { nodeList } from '../store/nodes.ts'
import { all } from '../store/paging.ts'
import { changed } from './change-server.ts'
import { type Choice, noHost, schedule, wishOf } from './schedule.ts'
import { serverStore } from './store.ts'

/** How many of the best are tried, one after the other, before all are looked at again. */
const TRIES = 20
const ROUNDS = 10

/** Finds the server a node and claims it: node and server are written in one transaction, so that no node is ever two servers'. Returns why
 * there is none. */
export async function claimNode(platform: Platform, server: Server, round = 1): Promise<string | undefined> {
  const nodes = await all<Node>(platform.table, nodeList({ provision_state: 'available' }))
  const choice: Choice = schedule(nodes, wishOf(server), server.uuid)
  for (const { uuid } of choice.nodes.slice(0, TRIES)) {
    if (await claim(platform, uuid, server.uuid)) return undefined
  }
  if (choice.nodes.length > TRIES && round < ROUNDS) return claimNode(platform, server, round + 1)
  return noHost(nodes.length, choice)
}

/** Whether the server needs no other node: it has this one, or wants none any more. */
async function claim(platform: Platform, node: string, uuid: string): Promise<boolean> {
  const after = await changeNode(platform, node, async (before) => {
    const server = await serverStore.get(platform.table, uuid)
    if (server?.task !== 'scheduling' || schedule([before], wishOf(server), uuid).nodes.length === 0) return undefined
    const claimed = changed(platform, server, { node, site: before.conductor_group, task: 'networking' })
    return {
      node: { ...before, instance_uuid: uuid, instance_name: server.name.slice(0, 255) },
      writes: serverStore.writes(server, claimed),
    }
  })
  if (after?.instance_uuid === uuid) platform.log.info({ server: uuid, node }, 'node claimed')
  return (await serverStore.get(platform.table, uuid))?.task !== 'scheduling'
}
