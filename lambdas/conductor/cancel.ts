import type { Command } from '../../contract/messages.ts'
import type { Lane } from '../../contract/plan.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform, Write } from '../platform.ts'
import { enqueue } from '../store/commands.ts'

const ACCEPT_SECONDS = 24 * 3600

/** The writes that tell the site to stop what it does for this node; none if nothing was sent. */
export async function cancelWrites(
  platform: Pick<Platform, 'table' | 'clock' | 'ids'>,
  node: Node,
  lane: Lane,
  reason: string,
): Promise<Write[]> {
  const operation = lane === 'power' ? node.power_operation : node.operation
  if (!operation) return []
  const now = platform.clock.now()
  const command = (seq: number): Command => ({
    id: platform.ids.uuid(),
    kind: 'cancel',
    seq,
    node: node.uuid,
    generation: operation.generation,
    lane,
    reason: reason.slice(0, 1024),
    issued_at: now.toISOString(),
    deadline: new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString(),
  })
  return enqueue(platform.table, operation.appliance, command)
}
