import { createHash } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { chunksOf } from '@bloomery/image/chunks.ts'
import type { Disk } from '@bloomery/image/qcow2.ts'
import { CHUNK_BYTES } from '../../contract/images/manifest.ts'
import { MOST_BASES } from '../../contract/images/patch.ts'

/** An earlier version of a disk that is pushed: which of its chunks hold what a new one holds, wherever in them that stands. */
export interface Base extends AsyncDisposable {
  /** At most MOST_BASES, the likeliest last. */
  like(index: number, data: Buffer): BaseChunk[]
  read(chunk: BaseChunk): Promise<Buffer>
}

export interface BaseChunk {
  sha256: string
  index: number
  length: number
}

/** File systems place files by blocks of this size. */
const BLOCK = 4096
/** Blocks that are remembered at most; of each chunk of a disk that isn't huge, every eighth one. */
const MOST_MARKS = 2_000_000
const LEAST_SPACING = 8

export async function openBase(disk: Disk, passed: (bytes: number) => void): Promise<Base> {
  const folder = await mkdtemp(join(process.env['TMPDIR'] ?? tmpdir(), 'bloomery-base-'))
  const file = await open(join(folder, 'disk'), 'wx+', 0o600)
  const chunks = new Map<number, BaseChunk>()
  const marks = new Map<number, number>()
  const spacing = Math.max(LEAST_SPACING, Math.ceil(disk.size / BLOCK / MOST_MARKS))
  const base: Base = {
    like(index, data) {
      const votes = new Map<number, number>()
      for (const mark of marksOf(data, spacing)) {
        const found = marks.get(mark)
        if (found !== undefined) votes.set(found, (votes.get(found) ?? 0) + 1)
      }
      // What stood in the same place is likely the same, also where no block is as it was.
      votes.set(index, Infinity)
      const best = [...votes].sort(([, a], [, b]) => b - a).flatMap(([at]) => chunks.get(at) ?? [])
      return best.slice(0, MOST_BASES).reverse()
    },
    async read({ index, length }) {
      const { buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, index * CHUNK_BYTES)
      return buffer
    },
    async [Symbol.asyncDispose]() {
      await file.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    for await (const { index, length, data } of chunksOf(disk, CHUNK_BYTES)) {
      passed(length)
      if (!data) continue
      await file.write(data, 0, length, index * CHUNK_BYTES)
      chunks.set(index, { sha256: createHash('sha256').update(data).digest('hex'), index, length })
      for (const mark of marksOf(data, spacing)) if (!marks.has(mark)) marks.set(mark, index)
    }
    return base
  } catch (error) {
    await base[Symbol.asyncDispose]()
    throw error
  }
}

/** The same blocks are chosen wherever they stand: by what they hold. */
function* marksOf(data: Buffer, spacing: number): Generator<number> {
  for (let at = 0; at + BLOCK <= data.length; at += BLOCK) {
    const mark = crc32(data.subarray(at, at + BLOCK))
    if (mark % spacing === 0) yield mark
  }
}
