import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { canonical } from './canonical.ts'
import {
  CHUNK_BYTES,
  type ImageManifest,
  type ImagePage,
  type ImagePlaces,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
  type SignedManifest,
} from './manifest.ts'
import { dictionaryOf, patchPacking, storedPatch } from './patch.ts'
import { signManifest } from './signature.ts'

/** An image in chunks, made of a disk, for tests and measurements. */
export interface MadeImage {
  signed: SignedManifest
  manifest: ImageManifest
  text: string
  pages: ImagePage[]
  /** Stored bytes by the digest of what they hold. */
  chunks: Map<string, Buffer>
}

export function makeImage(disk: Buffer, privateKey?: string): MadeImage {
  const chunks = new Map<string, Buffer>()
  const all: ImagePage = []
  for (let at = 0; at < disk.length; at += CHUNK_BYTES) {
    const plain = disk.subarray(at, at + CHUNK_BYTES)
    const sha256 = plain.every((byte) => byte === 0) ? null : sha256Of(plain)
    if (sha256 !== null && !chunks.has(sha256)) chunks.set(sha256, zstdCompressSync(plain))
    all.push(sha256)
  }
  const pages: ImagePage[] = []
  for (let at = 0; at < all.length; at += PAGE_CHUNKS) pages.push(all.slice(at, at + PAGE_CHUNKS))
  const manifest: ImageManifest = {
    v: 1,
    chunk_bytes: CHUNK_BYTES,
    page_chunks: PAGE_CHUNKS,
    virtual_size: disk.length,
    sha256: sha256Of(disk),
    pages: pages.map((page) => (page.every((chunk) => chunk === null) ? null : pageDigest(page))),
    stored_size: [...chunks.values()].reduce((sum, { length }) => sum + length, 0),
    source_format: 'raw',
    layout: { table: 'none', sector: 0, partitions: [] },
    boot_modes: [],
  }
  const signed = signManifest(manifest, privateKey)
  return { signed, manifest, text: canonical(signed), pages, chunks }
}

/** As the cloud stores them for sites; `needs`: chunks that those of the page are patches upon. */
export function placesOf(
  page: ImagePage,
  urlOf: (sha256: string) => string,
  needs: readonly string[] = [],
): ImagePlaces {
  const named = [...page.filter((each) => each !== null), ...needs]
  return { chunks: page, urls: Object.fromEntries(named.map((sha256) => [sha256, urlOf(sha256)])) }
}

/** A chunk as a patch upon others, all of them given as they are stored whole. */
export function patchOf(whole: Buffer, bases: ReadonlyMap<string, Buffer>): Buffer {
  const dictionary = dictionaryOf([...bases.values()].map((stored) => zstdDecompressSync(stored)))
  const frame = zstdCompressSync(zstdDecompressSync(whole), { dictionary, params: patchPacking })
  return storedPatch({ bases: [...bases.keys()], frame })
}
