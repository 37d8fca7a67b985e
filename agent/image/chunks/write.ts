import { CHUNK_BYTES, PAGE_CHUNKS } from '../../../contract/images/manifest.ts'
import { MiB } from '../../disks/disk.ts'
import { tooLarge, type Target } from '../write.ts'
import { startPlacers } from './placers.ts'
import { shuffled } from './shuffled.ts'
import { zero } from './zero.ts'
import type { ChunkSource } from './source.ts'

/** Fetches some chunks at a time and has threads put each straight to its place. The start of the disk, which firmware boots from, is
 * written last of all: whatever stops us before leaves nothing that boots. */

const AT_ONCE = 12
/** The disk is told to keep up, in time and in memory: what it or the kernel still holds back at the end is waited for while nothing arrives. */
const SYNC_BYTES = 128 * MiB
const LAST = 4
/** Of what may be written in any order. */
const WINDOW = 4 * PAGE_CHUNKS

interface Extent {
  /** Chunks. */
  first: number
  count: number
  sha256?: string
}

export async function writeChunks(
  id: string,
  source: ChunkSource,
  target: Target,
  written: (bytes: number) => void,
): Promise<void> {
  const { manifest } = source
  if (manifest.virtual_size > target.size) throw tooLarge(id, manifest.virtual_size, target)
  await using placers = await startPlacers(id, target, AT_ONCE)
  let passed = 0
  let unsynced = 0
  let syncing = Promise.resolve()
  async function place({ first, count, sha256 }: Extent, lane: number): Promise<void> {
    const offset = first * CHUNK_BYTES
    const length = Math.min(count * CHUNK_BYTES, manifest.virtual_size - offset)
    if (sha256 === undefined) await zero(target, offset, length)
    else {
      const chunk = { lane, sha256, length, offset }
      await source.chunk(sha256, {
        memory: placers.lanes[lane]!,
        accept: async ({ length: stored }) => (await placers.place({ ...chunk, stored })).right === true,
        fetch: (stored) => placers.place({ ...chunk, stored }),
      })
      unsynced += length
    }
    passed += length
    written(passed)
    if (unsynced < SYNC_BYTES) return
    unsynced = 0
    const before = syncing
    syncing = before.then(() => target.handle.datasync())
    syncing.catch(() => {})
    await before
  }
  const start: Extent[] = []
  const all = source.placed ? shuffled(extents(source), WINDOW, Math.random) : extents(source)
  await inParallel(all, AT_ONCE, async (extent, lane) => {
    if (extent.first < LAST) start.push(extent)
    else await place(extent, lane)
  })
  await syncing
  await target.handle.datasync()
  const [first, ...others] = start.sort((a, b) => a.first - b.first)
  await inParallel(others.values(), others.length, place)
  await target.handle.datasync()
  // The boot sector, when all that it leads to is on the disk for good.
  if (first) await place(first, 0)
  await target.handle.sync()
}

/** In order; neighbours that hold nothing are one. */
async function* extents(source: ChunkSource): AsyncGenerator<Extent> {
  const { manifest } = source
  let hole: Extent | undefined
  for (const [page, digest] of manifest.pages.entries()) {
    const first = page * PAGE_CHUNKS
    const chunks = digest === null ? undefined : await source.page(page)
    const total = Math.ceil(manifest.virtual_size / CHUNK_BYTES)
    const count = Math.min(PAGE_CHUNKS, total - first)
    for (let at = 0; at < count; at += 1) {
      const sha256 = chunks?.[at] ?? undefined
      const index = first + at
      if (sha256 === undefined && hole && index >= LAST) hole.count += 1
      else {
        if (hole) yield hole
        hole = sha256 === undefined ? { first: index, count: 1 } : undefined
        // What is written last must be a piece of its own.
        if (hole && index === LAST - 1) {
          yield hole
          hole = undefined
        }
        if (sha256 !== undefined) yield { first: index, count: 1, sha256 }
      }
    }
  }
  if (hole) yield hole
}

/** The first failure ends all; it is thrown when nothing is under way any more. */
async function inParallel<T>(
  items: Iterator<T> | AsyncIterator<T>,
  atOnce: number,
  work: (item: T, lane: number) => Promise<void>,
): Promise<void> {
  let failed: { error: unknown } | undefined
  // An async generator hands out one item at a time, in order, to however many ask.
  const worker = async (lane: number): Promise<void> => {
    while (!failed) {
      try {
        const item = await items.next()
        if (item.done) return
        await work(item.value, lane)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, (_, lane) => worker(lane)))
  if (failed) throw failed.error
}
