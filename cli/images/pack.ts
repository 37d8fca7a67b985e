import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { CHUNK_LEVEL, LARGEST_STORED_CHUNK } from '../../contract/images/manifest.ts'
import { dictionaryOf, patchPacking, storedPatch } from '../../contract/images/patch.ts'
import type { Base, BaseChunk } from './base.ts'

const compress = promisify(zstdCompress)
const packing = { params: { [constants.ZSTD_c_compressionLevel]: CHUNK_LEVEL } }

/** A chunk as it is uploaded. */
export interface Packed {
  bytes: Buffer
  /** It is a patch upon these. */
  bases?: string[]
}

/** A patch costs a site more to unpack, and keeps its bases in the store: it must be worth that. */
const WORTH = 0.6

export async function packWhole(data: Buffer): Promise<Packed> {
  return { bytes: await compress(data, packing) }
}

/** As a patch upon these, if that is worth it. */
export async function pack(data: Buffer, base: Base | undefined, bases: readonly BaseChunk[]): Promise<Packed> {
  const whole = await packWhole(data)
  if (!base || bases.length === 0) return whole
  const dictionary = dictionaryOf(await Promise.all(bases.map((each) => base.read(each))))
  const frame = await compress(data, { dictionary, params: patchPacking })
  const names = bases.map(({ sha256 }) => sha256)
  const bytes = storedPatch({ bases: names, frame })
  const isWorthIt = bytes.length < whole.bytes.length * WORTH && bytes.length <= LARGEST_STORED_CHUNK
  return isWorthIt ? { bytes, bases: names } : whole
}
