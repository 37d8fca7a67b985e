import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ImageError } from './error.ts'
import { openQcow2 } from './qcow2.ts'
import type { RandomAccess } from './random-access.ts'

const CLUSTER = 512

function access(bytes: Buffer): RandomAccess {
  return {
    size: bytes.length,
    read: (position, length) => Promise.resolve(bytes.subarray(position, position + length)),
  }
}

/** Version 3, clusters of 512 bytes: header, L1, L2, then a plain and a compressed cluster; the third is zeros. */
function image(): Buffer {
  const bytes = Buffer.alloc(5 * CLUSTER)
  bytes.writeUInt32BE(0x51_46_49_fb, 0)
  bytes.writeUInt32BE(3, 4)
  bytes.writeUInt32BE(9, 20)
  bytes.writeBigUInt64BE(BigInt(3 * CLUSTER), 24)
  bytes.writeUInt32BE(1, 36)
  bytes.writeBigUInt64BE(BigInt(CLUSTER), 40)
  bytes.writeUInt32BE(104, 100)
  bytes.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER)
  bytes.writeBigUInt64BE(BigInt(3 * CLUSTER), 2 * CLUSTER)
  bytes.writeBigUInt64BE((1n << 62n) | BigInt(4 * CLUSTER), 2 * CLUSTER + 8)
  bytes.fill('plain', 3 * CLUSTER, 4 * CLUSTER)
  deflateRawSync(Buffer.alloc(CLUSTER, 'packed')).copy(bytes, 4 * CLUSTER)
  return bytes
}

async function read(bytes: Buffer): Promise<Buffer> {
  const disk = await openQcow2(access(bytes))
  const parts: Buffer[] = []
  for await (const { length, data } of disk.pieces()) parts.push(data ?? Buffer.alloc(length))
  return Buffer.concat(parts)
}

it('gives plain, compressed and absent clusters in order', async () => {
  const whole = [Buffer.alloc(CLUSTER, 'plain'), Buffer.alloc(CLUSTER, 'packed'), Buffer.alloc(CLUSTER)]
  expect(await read(image())).toEqual(Buffer.concat(whole))
})

describe('refuses, saying why,', () => {
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = image()
    change(bytes)
    return bytes
  }
  it.each<[string, Buffer, string]>([
    ['another format', Buffer.from('KDMV'.padEnd(512)), 'it is not a qcow2 image'],
    ['a torn header', image().subarray(0, 60), 'ends within its header'],
    ['version 1', changed((bytes) => bytes.writeUInt32BE(1, 4)), 'qcow2 of version 1'],
    ['encryption', changed((bytes) => bytes.writeUInt32BE(2, 32)), 'it is encrypted'],
    ['clusters of 4 GiB', changed((bytes) => bytes.writeUInt32BE(32, 20)), 'clusters of 2^32 bytes'],
    [
      'an L1 table that is too small',
      changed((bytes) => bytes.writeBigUInt64BE(1n << 40n, 24)),
      'L1 table of 1 entries',
    ],
    ['an L1 table beyond the end', changed((bytes) => bytes.writeBigUInt64BE(1n << 40n, 40)), 'within its L1 table'],
    ['a disk of 2^60 bytes', changed((bytes) => bytes.writeBigUInt64BE(1n << 60n, 24)), 'virtual size is out of range'],
    ['a corrupt mark', changed((bytes) => bytes.writeBigUInt64BE(2n, 72)), 'marked corrupt'],
    ['features from the future', changed((bytes) => bytes.writeBigUInt64BE(1n << 40n, 72)), 'unknown here'],
    ['an L2 table of words', changed((bytes) => bytes.writeBigUInt64BE(1536n, 512)), 'it points to byte'],
    [
      'a cluster beyond the end',
      changed((bytes) => bytes.writeBigUInt64BE(1n << 30n, 1024)),
      'ends before its contents',
    ],
    ['a compressed cluster of noise', changed((bytes) => bytes.fill(0xff, 2048)), 'cannot be unpacked'],
  ])('%s', async (_, bytes, why) => {
    const failed = read(bytes)
    await expect(failed).rejects.toThrow(why)
    await expect(failed).rejects.toBeInstanceOf(ImageError)
  })
})

it('20,000 mutated images give bytes or an ImageError, and never more than the disk has', async () => {
  let state = 4_711
  const random = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const seen = { read: 0, refused: 0 }
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = image()
    for (let flips = 1 + random(3); flips > 0; flips -= 1) bytes[random(random(2) ? 112 : bytes.length)] = random(256)
    const cut = random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
    try {
      const disk = await openQcow2(access(cut))
      let total = 0
      for await (const { length, data } of disk.pieces()) {
        total += length
        if (data) expect(data.length).toBe(length)
      }
      expect(total).toBe(disk.size)
      seen.read += 1
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
      seen.refused += 1
    }
  }
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(1_000)
}, 120_000)
