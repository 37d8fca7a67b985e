import { constants } from 'node:zlib'
import { CHUNK_LEVEL, LARGEST_STORED_CHUNK } from './manifest.ts'

/** A chunk may be stored as what distinguishes it from others that the store has, its bases: packed by zstd with what those hold as the dictionary, behind
 * a frame that decoders skip (RFC 8878 §3.1.2) and that names them. It is known by the digest of what it holds like any other, so that who has
 * put it together knows whether it is right. Only sites meet these: agents get whole chunks. */

export const MOST_BASES = 4
/** Patches upon patches, and all chunks that the deepest needs. */
export const MOST_DEPTH = 4
export const MOST_NEEDS = 16
/** Other chunks that those of one page need. */
export const MOST_PAGE_NEEDS = 1024

/** Its tables must have room for all bases: by default zstd forgets what it saw more than some 100 KiB ago. */
export const patchPacking = {
  [constants.ZSTD_c_compressionLevel]: CHUNK_LEVEL,
  [constants.ZSTD_c_windowLog]: 24,
  [constants.ZSTD_c_hashLog]: 22,
  [constants.ZSTD_c_chainLog]: 22,
}

const SKIPPABLE = 0x184d2a5b
const HEAD = 8
const DIGEST = 32
/** What zstd would take for a dictionary of its own making (§5) begins otherwise. */
const NO_DICTIONARY = Buffer.alloc(8)

export interface Patch {
  bases: string[]
  /** What is to be unpacked with `dictionaryOf` the bases. */
  frame: Uint8Array
}

export function storedPatch({ bases, frame }: Patch): Buffer {
  const head = Buffer.alloc(HEAD)
  head.writeUInt32LE(SKIPPABLE, 0)
  head.writeUInt32LE(bases.length * DIGEST, 4)
  return Buffer.concat([head, ...bases.map((sha256) => Buffer.from(sha256, 'hex')), frame])
}

/** Undefined: these bytes are no patch. */
export function readPatch(stored: Uint8Array): Patch | undefined {
  if (stored.length > LARGEST_STORED_CHUNK || stored.length < HEAD + DIGEST) return undefined
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length)
  const length = bytes.readUInt32LE(4)
  if (bytes.readUInt32LE(0) !== SKIPPABLE || length === 0 || length % DIGEST > 0 || length > MOST_BASES * DIGEST)
    return undefined
  const bases: string[] = []
  for (let at = HEAD; at < HEAD + length; at += DIGEST) bases.push(bytes.toString('hex', at, at + DIGEST))
  return { bases, frame: bytes.subarray(HEAD + length) }
}

/** Of what the bases hold, in their order. */
export function dictionaryOf(bases: readonly Uint8Array[]): Buffer {
  return Buffer.concat([NO_DICTIONARY, ...bases])
}
