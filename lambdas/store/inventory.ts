import { ConflictError, type Key, type Table } from '../platform.ts'
import { replace } from './replace.ts'

/** What the last inspection of a node found. */
export interface Inventory {
  inventory: Record<string, unknown>
  /** What else came with it; here, when. */
  plugin_data: Record<string, unknown>
}

const inventoryKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'inventory' })

export async function getInventory(table: Table, node: string): Promise<Inventory | undefined> {
  return (await table.get(inventoryKey(node)))?.value as Inventory | undefined
}

/** The same report may be applied by two at once, which is no conflict. */
export function putInventory(table: Table, node: string, value: Inventory): Promise<void> {
  return replace<Inventory>(table, inventoryKey(node), () => value)
}

export async function deleteInventory(table: Table, node: string): Promise<void> {
  try {
    await table.write([{ delete: inventoryKey(node) }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
  }
}
