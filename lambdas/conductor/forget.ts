import { MOST_LOG_PARTS } from '../../contract/console.ts'
import type { Command } from '../../contract/messages.ts'
import type { Node } from '../../contract/resources.ts'
import { ConflictError, type Key, type Platform } from '../platform.ts'
import { answerKey } from '../store/answers.ts'
import { belongingsOf } from '../store/change-node.ts'
import { deleteCapture } from '../store/captures.ts'
import { deleteDeployLogs } from '../store/deploy-logs.ts'
import { enqueue } from '../store/commands.ts'
import { deleteConsole } from '../store/consoles.ts'
import { biosKey, firmwareKey } from '../store/components.ts'
import { hardwareKey } from '../store/hardware.ts'
import { healthKey, sensorsKey } from '../store/health.ts'
import { deleteHistory } from '../store/history.ts'
import { deleteInventory } from '../store/inventory.ts'
import { getNode } from '../store/nodes.ts'
import { holdersOf } from './keeper.ts'

const ATTEMPTS = 30
const ACCEPT_SECONDS = 7 * 24 * 3600

/** What is left of a deleted node: what was added to it at the last moment, its history, and what its site's appliances know of it. */
export async function forgetNode(platform: Platform, node: Node): Promise<void> {
  if (await getNode(platform.table, node.uuid)) return // created anew under the same uuid
  for (const writes of await belongingsOf(platform.table, node)) await platform.table.write(writes)
  await deleteHistory(platform.table, node.uuid)
  await deleteInventory(platform.table, node.uuid)
  await deleteCapture(platform, node.uuid)
  await deleteDeployLogs(platform, node.uuid)
  await deleteConsole(platform, node.uuid, MOST_LOG_PARTS)
  const { uuid } = node
  const keys = [answerKey, biosKey, firmwareKey, hardwareKey, healthKey, sensorsKey].map((key) => key(uuid))
  await deleteItems(platform, keys)
  for (const appliance of await holdersOf(platform.table, node)) await tell(platform, appliance.uuid, node)
}

async function deleteItems({ table }: Platform, keys: Key[]): Promise<void> {
  for (const key of keys) {
    const known = await table.get(key)
    if (known) await table.write([{ delete: key }])
  }
}

async function tell(platform: Platform, appliance: string, node: Node): Promise<void> {
  const now = platform.clock.now()
  const base = {
    id: platform.ids.uuid(),
    kind: 'forget' as const,
    node: node.uuid,
    generation: node.generation + 1,
    issued_at: now.toISOString(),
    deadline: new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString(),
  }
  const command = (seq: number): Command => ({ ...base, seq })
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      return await platform.table.write(await enqueue(platform.table, appliance, command))
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error // another command took the number
    }
  }
  throw new Error(`appliance ${appliance}: no number for a command after ${ATTEMPTS} attempts`)
}
