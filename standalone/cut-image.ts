import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { bootModesOf } from '@bloomery/image/boot-modes.ts'
import { chunksOf } from '@bloomery/image/chunks.ts'
import { headOf } from '@bloomery/image/head.ts'
import { layoutOf } from '@bloomery/image/layout.ts'
import { openQcow2 } from '@bloomery/image/qcow2.ts'
import { fileAccess } from '@bloomery/image/random-access.ts'
import { openRaw } from '@bloomery/image/raw.ts'
import {
  CHUNK_BYTES,
  CHUNK_LEVEL,
  chunkBlob,
  type ImageManifest,
  type ImagePage,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
} from '../contract/images/manifest.ts'
import type { Image } from '../contract/resources.ts'
import { beginInPlace, completeInPlace } from '../lambdas/images/in-place.ts'
import { pushChunks, pushPage } from '../lambdas/images/push.ts'
import type { Platform } from '../lambdas/platform.ts'

/** Cuts an image that came as one file into chunks, of which only those are stored that the store lacks. */

/** Chunks in memory at once. */
const BATCH = 8
const ZEROS = Buffer.alloc(CHUNK_BYTES)
const compress = promisify(zstdCompress)
const packing = { params: { [constants.ZSTD_c_compressionLevel]: CHUNK_LEVEL } }

/** False: it stays as it is, having no partition table (it is written into a partition, not onto a disk), or being changed meanwhile. */
export async function cutImage(platform: Platform, image: Image, path: string, stop: AbortSignal): Promise<boolean> {
  await using file = await open(path, 'r')
  const access = await fileAccess(file)
  const disk = image.disk_format === 'qcow2' ? await openQcow2(access) : openRaw(access)
  const readable = image.disk_format === 'qcow2' ? await headOf(disk) : access
  const layout = await layoutOf(readable)
  if (layout.table === 'none') return false
  await beginInPlace(platform, image)
  const whole = createHash('sha256')
  const sizes = new Map<string, number>()
  const pages: Array<string | null> = []
  let page: ImagePage = []
  let batch: Array<{ at: number; data: Buffer }> = []

  async function store(): Promise<void> {
    const found = batch.map(({ at, data }) => ({ at, data, sha256: sha256Of(data) }))
    batch = []
    for (const { at, sha256 } of found) page[at] = sha256
    const fresh = new Map(found.flatMap(({ sha256, data }) => (sizes.has(sha256) ? [] : [[sha256, data] as const])))
    if (fresh.size === 0) return
    const chunks = [...fresh.keys()].map((sha256) => ({ sha256 }))
    for (const { sha256, state, size = 0 } of await pushChunks(platform, image.uuid, { chunks }))
      if (state === 'held') {
        sizes.set(sha256, size)
        fresh.delete(sha256)
      }
    await Promise.all([...fresh].map(([sha256, data]) => add(sha256, data)))
  }

  async function add(sha256: string, data: Buffer): Promise<void> {
    const packed = await compress(data, packing)
    const stored = { sha256: sha256Of(packed), size: packed.length }
    const [answer] = await pushChunks(platform, image.uuid, { chunks: [{ sha256, stored }] })
    if (answer?.state === 'busy') throw new Error(`chunk ${sha256} is just being deleted`) // another time
    if (answer?.state !== 'held') await platform.blobs.put(chunkBlob(sha256), packed)
    sizes.set(sha256, answer?.size ?? packed.length)
  }

  async function endPage(): Promise<void> {
    if (batch.length > 0) await store()
    const done = page
    page = []
    const isEmpty = done.every((chunk) => chunk === null)
    if (!isEmpty) await pushPage(platform, image.uuid, pages.length, done)
    pages.push(isEmpty ? null : pageDigest(done))
  }

  for await (const { length, data } of chunksOf(disk, CHUNK_BYTES)) {
    stop.throwIfAborted()
    whole.update(data ?? ZEROS.subarray(0, length))
    if (data) batch.push({ at: page.length, data })
    page.push(null)
    if (batch.length === BATCH) await store()
    if (page.length === PAGE_CHUNKS) await endPage()
  }
  if (page.length > 0) await endPage()
  const manifest: ImageManifest = {
    v: 1,
    chunk_bytes: CHUNK_BYTES,
    page_chunks: PAGE_CHUNKS,
    virtual_size: disk.size,
    sha256: whole.digest('hex'),
    pages,
    stored_size: [...sizes.values()].reduce((total, size) => total + size, 0),
    source_format: image.disk_format,
    layout,
    boot_modes: await bootModesOf(readable, layout),
  }
  return completeInPlace(platform, image, { manifest, signature: null })
}
