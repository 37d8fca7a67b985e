import { type Capture, isOver } from '../../contract/capture.ts'
import { ConflictError, type Item, type Key, type Platform, type Table } from '../platform.ts'

/** The last capture of each node; its file is a blob. */
export interface StoredCapture {
  capture: Capture
  /** Who makes it. */
  appliance: string
}

export const captureKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'capture' })
export const captureBlob = ({ node_uuid, uuid }: Pick<Capture, 'node_uuid' | 'uuid'>): string =>
  `captures/${node_uuid}/${uuid}`

export function captureItem(value: StoredCapture, version: number): Item {
  return { ...captureKey(value.capture.node_uuid), version, value }
}

/** What nobody heard the end of in time has failed. */
export function asOf(capture: Capture, now: Date): Capture {
  if (isOver(capture.phase) || now <= new Date(capture.deadline)) return capture
  const note = `the site did not say in time what came of it; last heard: ${capture.phase}, at ${capture.updated_at}`
  return { ...capture, phase: 'failed', note }
}

export async function storedCapture(
  table: Table,
  node: string,
): Promise<{ item: Item; stored: StoredCapture } | undefined> {
  const item = await table.get(captureKey(node))
  return item && { item, stored: item.value as StoredCapture }
}

/** With its file. */
export async function deleteCapture({ table, blobs }: Pick<Platform, 'table' | 'blobs'>, node: string): Promise<void> {
  const found = await storedCapture(table, node)
  if (found === undefined) return
  await blobs.delete(captureBlob(found.stored.capture))
  try {
    await table.write([{ delete: captureKey(node) }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
  }
}
