import { randomBytes } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { CHUNK_BYTES, LARGEST_STORED_CHUNK } from './manifest.ts'
import { storedPlain } from './peers.ts'

it.each([0, 1, 4096, 131_072, 131_073, CHUNK_BYTES - 1, CHUNK_BYTES])(
  'a chunk of %i bytes is stored without being packed, and unpacked by zstd',
  (length) => {
    const plain = randomBytes(length)
    const stored = storedPlain(plain)
    expect(stored.length).toBeLessThanOrEqual(LARGEST_STORED_CHUNK)
    expect(zstdDecompressSync(stored, { maxOutputLength: CHUNK_BYTES }).equals(plain)).toBe(true)
  },
)

it('nothing larger is a chunk', () => {
  expect(() => storedPlain(new Uint8Array(CHUNK_BYTES + 1))).toThrow('no chunk')
})
