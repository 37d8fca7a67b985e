import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { patchItem, referenceKey } from './image-references.ts'

/** What is known of a chunk in the store.
 *
 *     awaited ──uploaded──▶ stored          a URL to upload it was handed out; its object was seen
 *        └────▶ condemned ◀───┘             nobody seems to need it; whoever does takes this back (spared)
 *                   └────▶ doomed ────▶     nobody did: its object is being deleted, then this item
 */
export interface ChunkRecord {
  sha256: string
  state: 'awaited' | 'stored' | 'condemned' | 'doomed'
  /** What it was before it was condemned. */
  was?: 'awaited' | 'stored'
  /** As stored. */
  size: number
  /** When it came into this state. */
  at: string
  /** All chunks that it can't be put together without, if it is a patch, and how many patches deep it is. They never change: what is
   * uploaded later may only need less. */
  needs?: string[]
  depth?: number
}

/** The same chunk, at another stage. */
export function moved({ was, ...record }: ChunkRecord, state: ChunkRecord['state'], at: Date): ChunkRecord {
  const next = { ...record, state, at: at.toISOString() }
  if (state !== 'condemned') return next
  const before = record.state === 'awaited' || record.state === 'stored' ? record.state : was
  return before === undefined ? next : { ...next, was: before }
}

export const spared = (record: ChunkRecord, at: Date): ChunkRecord => moved(record, record.was ?? 'awaited', at)

export const CHUNKS = 'chunks'
export const chunkKey = (sha256: string): Key => ({ pk: `chunk#${sha256}`, sk: 'chunk' })

export interface KnownChunk {
  record: ChunkRecord
  version: number
}

export function chunkItem(record: ChunkRecord, version: number): Item {
  return { ...chunkKey(record.sha256), version, value: record, by: { all: { pk: CHUNKS, sk: record.sha256 } } }
}

export async function getChunk(table: Table, sha256: string): Promise<KnownChunk | undefined> {
  const item = await table.get(chunkKey(sha256))
  return item && { record: item.value as ChunkRecord, version: item.version }
}

/** Undefined: somebody changed it meanwhile. */
export async function changeChunk(
  table: Table,
  before: KnownChunk | undefined,
  record: ChunkRecord,
): Promise<KnownChunk | undefined> {
  const version = (before?.version ?? 0) + 1
  const writes: Write[] = [{ put: chunkItem(record, version), expect: before?.version ?? 'absent' }]
  if (!before && record.needs) writes.push({ put: patchItem(record.sha256, record.needs) })
  const written = await unlessChanged(table.write(writes))
  return written ? { record, version } : undefined
}

export function forgetChunk(table: Table, { record, version }: KnownChunk): Promise<boolean> {
  const writes: Write[] = [{ delete: chunkKey(record.sha256), expect: version }]
  if (record.needs) writes.push({ delete: referenceKey('patch', record.sha256) })
  return unlessChanged(table.write(writes))
}

async function unlessChanged(writing: Promise<void>): Promise<boolean> {
  try {
    await writing
    return true
  } catch (error) {
    if (error instanceof ConflictError) return false
    throw error
  }
}
