import { randomBytes } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { CHUNK_BYTES, LARGEST_STORED_CHUNK } from './manifest.ts'
import { dictionaryOf, MOST_BASES, patchPacking, readPatch, storedPatch } from './patch.ts'

const bases = ['a', 'b', 'c'].map((letter) => letter.repeat(64))

it('a patch names its bases, and is read again', () => {
  const frame = randomBytes(100)
  const found = readPatch(storedPatch({ bases, frame }))
  expect(found?.bases).toEqual(bases)
  expect(frame.equals(found!.frame)).toBe(true)
})

it('what differs from its bases by little takes little, wherever in them it comes from', () => {
  const held = [randomBytes(CHUNK_BYTES), randomBytes(CHUNK_BYTES), randomBytes(CHUNK_BYTES), randomBytes(CHUNK_BYTES)]
  // As a file system that looks like a dictionary of zstd's own.
  held[0]!.writeUInt32LE(0xec30a437)
  const plain = Buffer.concat([held[2]!.subarray(4096, 500_000), held[0]!, randomBytes(1000), held[3]!]).subarray(
    0,
    CHUNK_BYTES,
  )
  const dictionary = dictionaryOf(held)
  const frame = zstdCompressSync(plain, { dictionary, params: patchPacking })
  expect(frame.length).toBeLessThan(2000)
  const { bases: named, frame: packed } = readPatch(storedPatch({ bases: [...bases, 'd'.repeat(64)], frame }))!
  expect(named).toHaveLength(4)
  expect(zstdDecompressSync(packed, { dictionary, maxOutputLength: CHUNK_BYTES }).equals(plain)).toBe(true)
})

it('anything else is none', () => {
  const good = storedPatch({ bases, frame: randomBytes(10) })
  const changed = (at: number, value: number): Buffer => {
    const other = Buffer.from(good)
    other.writeUInt32LE(value, at)
    return other
  }
  for (const bytes of [
    Buffer.alloc(0),
    good.subarray(0, 20),
    zstdCompressSync(randomBytes(100)),
    changed(0, 0x184d2a50),
    changed(4, 0),
    changed(4, 33),
    changed(4, (MOST_BASES + 1) * 32),
    changed(4, 0xffffffff),
    Buffer.concat([good, Buffer.alloc(LARGEST_STORED_CHUNK)]),
  ])
    expect(readPatch(bytes)).toBeUndefined()
})
