import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { CHUNK_BYTES } from '../../../contract/images/manifest.ts'
import { dictionaryOf, type Patch } from '../../../contract/images/patch.ts'
import { digestOf, unpack } from './unpack.ts'

const unzstd = promisify(zstdDecompress)
const zstd = promisify(zstdCompress)
const SPARE = 64

/** The chunk's stored bytes as agents know them, made of a patch and of its bases' stored bytes; undefined: they don't give this chunk. */
export async function wholeOf(
  sha256: string,
  { bases, frame }: Patch,
  stored: readonly Buffer[],
): Promise<Buffer | undefined> {
  const held: Buffer[] = []
  for (const [at, base] of bases.entries()) {
    const plain = await unpack(base, stored[at]!)
    if (!plain) return undefined
    held.push(plain)
  }
  const options = {
    dictionary: dictionaryOf(held),
    maxOutputLength: CHUNK_BYTES,
    chunkSize: CHUNK_BYTES + SPARE,
  }
  const plain = await unzstd(frame, options).catch(() => undefined)
  if (!plain || (await digestOf(plain)) !== sha256) return undefined
  // As quickly as can be: it is sent in the provisioning network only.
  return zstd(plain)
}
