import { setTimeout } from 'node:timers/promises'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { getNode, powerPending } from '../store/nodes.ts'

/** Looks in each interval: a power change is over sooner than Ironic's second. */
const LOOKS = 5

/** The node, once a change of its power that is under way has ended. Clients give orders one right after the other, as Ironic's conductor waits
 * for its lock before it says 409 (`node_locked_retry_*`, reference §3.2); after the same time it is given as it is. */
export async function settled({ table, options }: Pick<Platform, 'table' | 'options'>, node: Node): Promise<Node> {
  const { node_locked_retry_attempts: attempts, node_locked_retry_interval: seconds } = options
  let now = node
  for (let look = 0; powerPending(now) && look < attempts * LOOKS; look += 1) {
    await setTimeout((seconds * 1000) / LOOKS)
    const found = await getNode(table, node.uuid)
    if (!found) return now
    now = found
  }
  return now
}
