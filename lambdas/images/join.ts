import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import {
  CHUNK_BYTES,
  chunkBlob,
  chunkLength,
  type ImageManifest,
  LARGEST_STORED_CHUNK,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
} from '../../contract/images/manifest.ts'
import { dictionaryOf, MOST_DEPTH, readPatch } from '../../contract/images/patch.ts'
import type { Blobs } from '../platform.ts'
import { pageOf } from '../store/image-references.ts'

/** An image in chunks as the disk that it is, for who wants all of it as one file. No more of it is in memory than a few chunks. */

const ZEROS = Buffer.alloc(CHUNK_BYTES)
const unzstd = promisify(zstdDecompress)

export async function* joined(blobs: Blobs, image: string, manifest: ImageManifest): AsyncGenerator<Buffer> {
  for (const [number, digest] of manifest.pages.entries()) {
    const page = digest === null ? undefined : await pageOf(blobs, image, number)
    if (digest !== null && (!page || pageDigest(page) !== digest))
      throw new Error(`image ${image}: its page ${number} is not stored, or is another one`)
    const first = number * PAGE_CHUNKS
    const last = Math.min(first + PAGE_CHUNKS, Math.ceil(manifest.virtual_size / CHUNK_BYTES))
    for (let at = first; at < last; at += 1) {
      const [sha256, length] = [page?.[at - first] ?? null, chunkLength(manifest, at)]
      const bytes = sha256 === null ? ZEROS.subarray(0, length) : await chunkOf(blobs, sha256, 0)
      if (bytes.length !== length)
        throw new Error(`image ${image}: chunk ${at} has ${bytes.length} bytes, and ought to have ${length}`)
      yield bytes
    }
  }
}

async function chunkOf(blobs: Blobs, sha256: string, depth: number): Promise<Buffer> {
  const stored = await blobs.get(chunkBlob(sha256))
  if (!stored || stored.length > LARGEST_STORED_CHUNK)
    throw new Error(`chunk ${sha256} is not stored, or is larger than one can be`)
  const patch = readPatch(stored)
  if (patch && depth === MOST_DEPTH) throw new Error(`chunk ${sha256} is a patch upon too many others`)
  const bases: Buffer[] = []
  for (const base of patch?.bases ?? []) bases.push(await chunkOf(blobs, base, depth + 1))
  const options = { maxOutputLength: CHUNK_BYTES, ...(patch && { dictionary: dictionaryOf(bases) }) }
  const bytes = await unzstd(patch ? patch.frame : stored, options)
  if (sha256Of(bytes) !== sha256) throw new Error(`chunk ${sha256} holds something else`)
  return bytes
}
