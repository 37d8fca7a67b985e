import { ImageError } from './error.ts'
import type { Disk } from './qcow2.ts'

/** A part of a disk, always of the same length but for the last. `data` is absent where all of it is zeros. */
export interface Chunk {
  index: number
  length: number
  data?: Buffer
}

const ZEROS = Buffer.alloc(1024 * 1024)

/** All of the disk in chunks, in order. A chunk's buffer is the receiver's to keep. */
export async function* chunksOf(disk: Disk, chunkBytes: number): AsyncGenerator<Chunk> {
  let filled = 0
  let index = 0
  let data: Buffer | undefined
  const lengthOf = (): number => Math.min(chunkBytes, disk.size - index * chunkBytes)
  for await (const piece of disk.pieces()) {
    for (let taken = 0; taken < piece.length;) {
      const length = lengthOf()
      if (length <= 0) throw new ImageError('it holds more than its size')
      const part = Math.min(length - filled, piece.length - taken)
      if (piece.data) {
        data ??= Buffer.alloc(length)
        piece.data.copy(data, filled, taken, taken + part)
      }
      taken += part
      filled += part
      if (filled < length) continue
      yield { index, length, ...(data && !isZero(data) && { data }) }
      ;[filled, data] = [0, undefined]
      index += 1
    }
  }
  if (index * chunkBytes < disk.size) throw new ImageError('it ends before its size')
}

export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length)
    if (part.compare(ZEROS, 0, part.length) !== 0) return false
  }
  return true
}
