import { z } from 'zod'
import { CHUNK_BYTES } from './manifest.ts'

/** Agents that write the same image give chunks to each other. The site, which is asked for each chunk first, says who has it; the asker verifies
 * what it gets, and comes back to the site where nobody gave it. */

/** The site's answer in place of a chunk (HTTP 300). */
export const ELSEWHERE = 300
export const MOST_PEERS = 3
export const peerList = z.strictObject({
  peers: z
    .array(z.url({ protocol: /^http$/ }).max(256))
    .min(1)
    .max(MOST_PEERS),
})

/** Chunks that the asker has written and gives to others: digests with commas between them. */
export const HAVE_HEADER = 'x-bloomery-have'
export const MOST_HAVE = 32

const BLOCK = 128 * 1024

/** A zstd frame that packs nothing (RFC 8878 §3.1.1: a single segment with its size in four bytes, raw blocks), as a chunk that was read back
 * from a disk is given on without being packed again. */
export function storedPlain(plain: Uint8Array): Buffer {
  if (plain.length > CHUNK_BYTES) throw new RangeError(`${plain.length} bytes are no chunk`)
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0])
  head.writeUInt32LE(plain.length, 5)
  const parts: Uint8Array[] = [head]
  for (let at = 0; at === 0 || at < plain.length; at += BLOCK) {
    const block = plain.subarray(at, at + BLOCK)
    const isLast = at + BLOCK >= plain.length
    const header = Buffer.alloc(3)
    header.writeUIntLE((block.length << 3) | Number(isLast), 0, 3)
    parts.push(header, block)
  }
  return Buffer.concat(parts)
}
