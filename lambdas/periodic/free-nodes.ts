import type { Platform } from '../platform.ts'
import { listFreeNodes } from '../store/list-free-nodes.ts'
import { dropZeros } from '../store/node-counts.ts'

/** The list of free nodes is complete, and its counts are tidy. */
export async function tendFreeNodes(platform: Platform): Promise<void> {
  if (await listFreeNodes(platform)) await dropZeros(platform.table)
}
