import { webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { CHUNK_BYTES } from '../../../contract/images/manifest.ts'

const unzstd = promisify(zstdDecompress)

/** The chunk, if these are its stored bytes. Both take place beside the thread that answers. */
export async function unpack(sha256: string, stored: Buffer): Promise<Buffer | undefined> {
  const plain = await unzstd(stored, { maxOutputLength: CHUNK_BYTES, chunkSize: CHUNK_BYTES }).catch(() => undefined)
  if (!plain) return undefined
  return (await digestOf(plain)) === sha256 ? plain : undefined
}

export async function digestOf(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('hex')
}
