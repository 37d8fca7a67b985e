import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { chunksOf } from '@bloomery/image/chunks.ts'
import { fileAccess } from '@bloomery/image/random-access.ts'
import { openRaw } from '@bloomery/image/raw.ts'
import { canonical } from '../../../contract/images/canonical.ts'
import {
  CHUNK_BYTES,
  CHUNK_LEVEL,
  type ImageManifest,
  type ImagePage,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
} from '../../../contract/images/manifest.ts'

const compress = promisify(zstdCompress)
const packing = { params: { [constants.ZSTD_c_compressionLevel]: CHUNK_LEVEL } }
const MiB = 1024 * 1024
/** Contents like those of an image: programs, libraries, documents, what is packed already; small files matter for none of them. */
const CONTENTS = ['/usr/bin', '/usr/lib', '/usr/share', '/usr/libexec']

export interface Disk {
  path: string
  /** Its bytes that aren't holes, one after the other. */
  filled: string
  full: number
}

/** A disk of so many MiB of which two fifths hold files of this machine, in runs of 16 MiB; with a partition table that kernels can read. */
export async function makeDisk(dir: string, mebibytes: number): Promise<Disk> {
  const disk = { path: join(dir, 'disk.raw'), filled: join(dir, 'filled'), full: runs(mebibytes) * MiB }
  const size = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0
  if ((await size(disk.path)) === mebibytes * MiB && (await size(disk.filled)) === disk.full) return disk
  const [file, filled] = [await open(disk.path, 'w'), await open(disk.filled, 'w')]
  await file.truncate(mebibytes * MiB)
  const contents = mebibytesOfFiles(CONTENTS)
  for (let at = 0; at < mebibytes; at += 1) {
    if (!isFull(at)) continue
    const { value: bytes, done } = await contents.next()
    if (done) throw new Error(`${CONTENTS.join(', ')} hold less than the ${disk.full / MiB} MiB that the image needs`)
    if (at === 0) writeTable(bytes, mebibytes)
    await file.write(bytes, 0, MiB, at * MiB)
    await filled.write(bytes)
  }
  for (const each of [file, filled]) {
    await each.sync()
    await each.close()
  }
  return disk
}

function writeTable(sector: Buffer, mebibytes: number): void {
  sector.fill(0, 440, 512)
  const entry = Buffer.from([0, 0, 2, 0, 0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  entry.writeUInt32LE(2048, 8)
  entry.writeUInt32LE((mebibytes - 1) * 2048, 12)
  entry.copy(sector, 446)
  sector.set([0x55, 0xaa], 510)
}

async function* mebibytesOfFiles(folders: readonly string[]): AsyncGenerator<Buffer, undefined> {
  let [bytes, used] = [Buffer.alloc(MiB), 0]
  for (const folder of folders)
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const data = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0))
      for (let at = 0; at < data.length;) {
        const part = data.copy(bytes, used, at)
        at += part
        used += part
        if (used < MiB) continue
        yield bytes
        ;[bytes, used] = [Buffer.alloc(MiB), 0]
      }
    }
  return undefined
}

/** Two runs of each five. */
function isFull(at: number): boolean {
  return Math.floor(at / 16) % 5 < 2
}
function runs(mebibytes: number): number {
  return Array.from({ length: mebibytes }, (_, at) => at).filter(isFull).length
}

export interface Stored {
  manifest: ImageManifest
  text: string
  /** A site's cache of chunks, which has all of it. */
  cache: string
  /** All stored bytes in one file. */
  all: string
}

/** Cut and packed as a push does it, and put where a site keeps it. */
export async function storeChunks(disk: string, dir: string): Promise<Stored> {
  const [cache, all] = [join(dir, 'cache'), join(dir, 'stored')]
  rmSync(cache, { recursive: true, force: true })
  const out = await open(all, 'w')
  const file = await open(disk, 'r')
  const known = new Set<string>()
  const pages: ImagePage[] = []
  const whole = createHash('sha256')
  let size = 0
  const access = await fileAccess(file)
  for await (const { index, length, data } of chunksOf(openRaw(access), CHUNK_BYTES)) {
    whole.update(data ?? Buffer.alloc(length))
    if (index % PAGE_CHUNKS === 0) pages.push([])
    const sha256 = data ? sha256Of(data) : null
    pages.at(-1)!.push(sha256)
    if (sha256 === null || known.has(sha256)) continue
    known.add(sha256)
    const stored = await compress(data!, packing)
    size += stored.length
    await out.write(stored)
    keep(cache, `chunk-${sha256}`, stored)
  }
  await file.close()
  await out.close()
  const manifest: ImageManifest = {
    v: 1,
    chunk_bytes: CHUNK_BYTES,
    page_chunks: PAGE_CHUNKS,
    virtual_size: access.size,
    sha256: whole.digest('hex'),
    pages: pages.map((page) => (page.every((chunk) => chunk === null) ? null : pageDigest(page))),
    stored_size: size,
    source_format: 'raw',
    layout: { table: 'mbr', sector: 512, partitions: [] },
    boot_modes: [],
  }
  const text = canonical({ manifest, signature: null })
  keep(cache, `text-${sha256Of(text)}`, text)
  for (const page of pages) keep(cache, `text-${pageDigest(page)}`, canonical(page))
  return { manifest, text, cache, all }
}

/** As the site's own store lays it out. */
function keep(cache: string, name: string, bytes: Uint8Array | string): void {
  const folder = join(cache, name.slice(-2))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), bytes)
}
