import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunksOf, type Chunk } from './chunks.ts'
import type { Disk, Piece } from './qcow2.ts'
import { openRaw } from './raw.ts'
import type { RandomAccess } from './random-access.ts'

function inMemory(bytes: Buffer): RandomAccess {
  return {
    size: bytes.length,
    read: (position, length) => Promise.resolve(bytes.subarray(position, position + length)),
  }
}

async function all(disk: Disk, size: number): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of chunksOf(disk, size)) chunks.push(chunk)
  return chunks
}

/** The disk that chunks make up again. */
function whole(chunks: Chunk[]): Buffer {
  return Buffer.concat(chunks.map(({ data, length }) => data ?? Buffer.alloc(length)))
}

describe('chunks of a disk', () => {
  it('are all of one length but the last, and empty where it is zeros', async () => {
    const bytes = Buffer.concat([Buffer.alloc(100, 1), Buffer.alloc(150), Buffer.alloc(20, 2)])
    const chunks = await all(openRaw(inMemory(bytes)), 100)
    expect(chunks.map(({ index, length, data }) => [index, length, data !== undefined])).toEqual([
      [0, 100, true],
      [1, 100, false],
      [2, 70, true],
    ])
    expect(whole(chunks)).toEqual(bytes)
  })

  it('make up the disk again, however its pieces were cut', async () => {
    const piece = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom(undefined, 0, 7))
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), async (parts, cut) => {
        let offset = 0
        const pieces: Piece[] = parts.map(([length, fill]) => {
          const made = { offset, length, ...(fill !== undefined && { data: Buffer.alloc(length, fill) }) }
          offset += length
          return made
        })
        const disk: Disk = {
          size: offset,
          async *pieces() {
            yield* pieces
          },
        }
        const expected = Buffer.concat(pieces.map(({ data, length }) => data ?? Buffer.alloc(length)))
        const chunks = await all(disk, cut)
        expect(sha(whole(chunks))).toBe(sha(expected))
        expect(chunks.every(({ data }) => data === undefined || data.some((byte) => byte !== 0))).toBe(true)
      }),
    )
  })

  it('refuse a disk that ends before its size, or goes beyond it', async () => {
    const disk = (size: number): Disk => ({
      size,
      async *pieces() {
        yield { offset: 0, length: 10 }
      },
    })
    await expect(all(disk(11), 4)).rejects.toThrow(/ends before/)
    await expect(all(disk(9), 4)).rejects.toThrow(/more than/)
  })
})

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
