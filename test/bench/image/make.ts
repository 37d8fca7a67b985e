import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import { chunksOf } from '@bloomery/image/chunks.ts'
import { openRaw } from '@bloomery/image/raw.ts'
import { fileAccess } from '@bloomery/image/random-access.ts'
import { canonical } from '../../../contract/images/canonical.ts'
import {
  CHUNK_BYTES,
  type ImageManifest,
  type ImagePage,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
} from '../../../contract/images/manifest.ts'

const compress = promisify(zstdCompress)
const MiB = 1024 * 1024

/** A disk of so many MiB of which two fifths hold something, in runs of 16 MiB: half of that like programs (packed by a third), half like what is
 * packed already. With a partition table that kernels can read. */
export async function makeDisk(path: string, mebibytes: number): Promise<number> {
  if ((await stat(path).catch(() => undefined))?.size === mebibytes * MiB) return full(mebibytes)
  const file = await open(path, 'w')
  await file.truncate(mebibytes * MiB)
  for (let at = 0; at < mebibytes; at += 1) {
    if (!isFull(at)) continue
    const bytes = randomBytes(MiB)
    if (Math.floor(at / 16) % 2 === 0) for (let word = 0; word < MiB; word += 12) bytes.fill(0x20, word, word + 4)
    if (at === 0) {
      bytes.fill(0, 440, 512)
      const table = Buffer.alloc(16)
      table.set([0, 0, 2, 0, 0x83])
      table.writeUInt32LE(2048, 8)
      table.writeUInt32LE((mebibytes - 1) * 2048, 12)
      table.copy(bytes, 446)
      bytes.set([0x55, 0xaa], 510)
    }
    await file.write(bytes, 0, MiB, at * MiB)
  }
  await file.sync()
  await file.close()
  return full(mebibytes)
}

/** Two runs of each five. */
function isFull(at: number): boolean {
  return Math.floor(at / 16) % 5 < 2
}
function full(mebibytes: number): number {
  return Array.from({ length: mebibytes }, (_, at) => at).filter(isFull).length * MiB
}

export interface Stored {
  manifest: ImageManifest
  text: string
  pages: ImagePage[]
  /** Where each chunk lies in the file of all of them. */
  places: Map<string, { offset: number; length: number }>
  path: string
}

/** Cut and packed as a push does it, into one file. */
export async function storeChunks(disk: string, dir: string): Promise<Stored> {
  const path = join(dir, 'chunks')
  const file = await open(disk, 'r')
  const out = createWriteStream(path)
  const places: Stored['places'] = new Map()
  const pages: ImagePage[] = []
  const whole = createHash('sha256')
  let offset = 0
  const access = await fileAccess(file)
  for await (const { index, length, data } of chunksOf(openRaw(access), CHUNK_BYTES)) {
    whole.update(data ?? Buffer.alloc(length))
    if (index % PAGE_CHUNKS === 0) pages.push([])
    const sha256 = data ? sha256Of(data) : null
    pages.at(-1)!.push(sha256)
    if (sha256 === null || places.has(sha256)) continue
    const stored = await compress(data!)
    places.set(sha256, { offset, length: stored.length })
    offset += stored.length
    if (!out.write(stored)) await new Promise<void>((resolve) => void out.once('drain', () => resolve()))
  }
  await new Promise<void>((resolve) => void out.end(() => resolve()))
  await file.close()
  const manifest: ImageManifest = {
    v: 1,
    chunk_bytes: CHUNK_BYTES,
    page_chunks: PAGE_CHUNKS,
    virtual_size: access.size,
    sha256: whole.digest('hex'),
    pages: pages.map((page) => (page.every((chunk) => chunk === null) ? null : pageDigest(page))),
    stored_size: offset,
    source_format: 'raw',
    layout: { table: 'mbr', sector: 512, partitions: [] },
    boot_modes: [],
  }
  return { manifest, text: canonical({ manifest, signature: null }), pages, places, path }
}
