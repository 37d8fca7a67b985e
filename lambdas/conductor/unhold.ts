import type { Command } from '../../contract/messages.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform, Write } from '../platform.ts'
import { enqueue } from '../store/commands.ts'

/** Longer than any hold lasts. */
const ACCEPT_SECONDS = 15 * 24 * 3600

/** The writes that tell the site to go on after the hold that it is at. */
export async function unholdWrites(
  { table, clock, ids }: Pick<Platform, 'table' | 'clock' | 'ids'>,
  node: Node,
): Promise<Write[]> {
  const { operation } = node
  if (!operation) return []
  const now = clock.now()
  const command = (seq: number): Command => ({
    id: ids.uuid(),
    kind: 'unhold',
    seq,
    node: node.uuid,
    generation: operation.generation,
    lane: 'provision',
    step: operation.step,
    issued_at: now.toISOString(),
    deadline: new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString(),
  })
  return enqueue(table, operation.appliance, command)
}
