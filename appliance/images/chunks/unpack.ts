import { webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { CHUNK_BYTES } from '../../../contract/images/manifest.ts'

const unzstd = promisify(zstdDecompress)
/** A piece of memory that is filled to its end is followed by another. */
const SPARE = 64

/** The chunk, if these are its stored bytes. Both take place beside the thread that answers. */
export async function unpack(sha256: string, stored: Buffer): Promise<Buffer | undefined> {
  const options = { maxOutputLength: CHUNK_BYTES, chunkSize: CHUNK_BYTES + SPARE }
  const plain = await unzstd(stored, options).catch(() => undefined)
  if (!plain) return undefined
  return (await digestOf(plain)) === sha256 ? plain : undefined
}

/** Whether these are its stored bytes, and no more. */
export async function isStored(sha256: string, stored: Buffer): Promise<boolean> {
  const plain = await unpack(sha256, stored)
  // Given back at once, as the collector would let a hundred of them pile up. Small ones may lie in memory that others share.
  if (plain?.length === CHUNK_BYTES) (plain.buffer as ArrayBuffer).transfer(0)
  return plain !== undefined
}

export async function digestOf(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('hex')
}
