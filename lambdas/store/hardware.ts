import type { Indicator, VirtualMedium } from '../../contract/hardware-facts.ts'
import type { Key, Table } from '../platform.ts'

/** What a site last read of a node's lights and virtual media. */
export interface Hardware {
  indicators: Indicator[] | null
  virtual_media: VirtualMedium[] | null
}

export const hardwareKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'hardware' })

export async function hardwareOf(table: Table, node: string): Promise<Hardware> {
  const known = (await table.get(hardwareKey(node)))?.value as Hardware | undefined
  return known ?? { indicators: null, virtual_media: null }
}
