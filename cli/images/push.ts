import { createHash, webcrypto } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { type Chunk, chunksOf } from '@bloomery/image/chunks.ts'
import type { Client } from '../../contract/api/client.ts'
import type { ImageView } from '../../contract/api/views.ts'
import {
  CHUNK_BYTES,
  CHUNK_LEVEL,
  type ImageManifest,
  type ImagePage,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
} from '../../contract/images/manifest.ts'
import type { ChunkAnswer } from '../../contract/images/push.ts'
import { signManifest } from '../../contract/images/signature.ts'
import { OutcomeError } from '../usage.ts'
import type { Source } from './source.ts'
import { uploadBytes } from './upload.ts'

/** Sends a disk chunk by chunk, and of its chunks only those that the store lacks. Begun again after it broke off, it finds what it has sent. */
export interface Pushing {
  client: Pick<Client, 'imagePushes'>
  name: string
  source: Source
  /** PEM; undefined: unsigned. */
  key: string | undefined
  progress: PushProgress
  put?: typeof uploadBytes
}

export interface PushProgress {
  /** Bytes of the disk that were read. */
  read(bytes: number): void
  stored(bytes: number): void
  skipped(bytes: number): void
}

/** Chunks asked about together, and how many such batches are under way: what bounds memory. */
const BATCH = 16
const BATCHES = 3
const BUSY_TRIES = 120
const ZEROS = Buffer.alloc(CHUNK_BYTES)
const compress = promisify(zstdCompress)
const packing = { params: { [constants.ZSTD_c_compressionLevel]: CHUNK_LEVEL } }

interface Known {
  sha256: string
  data: Buffer
}

export async function pushImage({
  client,
  name,
  source,
  key,
  progress,
  put = uploadBytes,
}: Pushing): Promise<ImageView> {
  const { uuid } = await client.imagePushes.begin(name)
  const sizes = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  const whole = createHash('sha256')
  const pages: Array<string | null> = []
  let page: ImagePage = []
  let batch: Array<Chunk & { data: Buffer }> = []
  let failure: { error: unknown } | undefined

  function sendBatch(into: ImagePage): void {
    const chunks = batch
    batch = []
    const work = send(chunks, into)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }

  async function send(chunks: Array<Chunk & { data: Buffer }>, into: ImagePage): Promise<void> {
    const found = await Promise.all(chunks.map(async ({ data }) => ({ sha256: await digestOf(data), data })))
    chunks.forEach(({ index }, at) => (into[index % PAGE_CHUNKS] = found[at]!.sha256))
    const fresh = new Map(found.filter(({ sha256 }) => !sizes.has(sha256)).map((each) => [each.sha256, each]))
    progress.skipped(sum(found.filter(({ sha256 }) => sizes.has(sha256))))
    if (fresh.size > 0) await store([...fresh.values()])
  }

  async function store(chunks: Known[]): Promise<void> {
    const asked = await ask(
      client,
      uuid,
      chunks.map(({ sha256 }) => ({ sha256 })),
    )
    const held = asked.filter(({ state }) => state === 'held')
    for (const { sha256, size = 0 } of held) sizes.set(sha256, size)
    const lacking = chunks.filter(({ sha256 }) => !sizes.has(sha256))
    progress.skipped(sum(chunks) - sum(lacking))
    if (lacking.length === 0) return
    const packed = new Map<string, Buffer>()
    await Promise.all(lacking.map(async ({ sha256, data }) => void packed.set(sha256, await compress(data, packing))))
    const answers = await ask(
      client,
      uuid,
      [...packed].map(([sha256, bytes]) => ({ sha256, stored: { sha256: sha256Of(bytes), size: bytes.length } })),
    )
    await Promise.all(
      answers.map(async ({ sha256, upload }) => {
        const bytes = packed.get(sha256)!
        if (upload) await put(upload, bytes, `chunk ${sha256.slice(0, 12)}`)
        sizes.set(sha256, bytes.length)
        progress.stored(bytes.length)
      }),
    )
  }

  async function endPage(): Promise<void> {
    if (batch.length > 0) sendBatch(page)
    await Promise.all(underWay)
    if (failure) throw failure.error
    const done = page
    page = []
    if (done.every((chunk) => chunk === null)) return void pages.push(null)
    await client.imagePushes.page(uuid, String(pages.length), done)
    pages.push(pageDigest(done))
  }

  for await (const { index, length, data } of chunksOf(source.disk, CHUNK_BYTES)) {
    whole.update(data ?? ZEROS.subarray(0, length))
    page.push(null)
    if (data) batch.push({ index, length, data })
    if (batch.length === BATCH) sendBatch(page)
    while (underWay.size >= BATCHES) await Promise.race(underWay)
    progress.read(length)
    if (failure) throw failure.error
    if (page.length === PAGE_CHUNKS) await endPage()
  }
  if (page.length > 0) await endPage()
  const manifest: ImageManifest = {
    v: 1,
    chunk_bytes: CHUNK_BYTES,
    page_chunks: PAGE_CHUNKS,
    virtual_size: source.disk.size,
    sha256: whole.digest('hex'),
    pages,
    stored_size: [...sizes.values()].reduce((total, size) => total + size, 0),
    source_format: source.format,
    layout: source.layout,
    boot_modes: source.bootModes,
  }
  return client.imagePushes.complete(uuid, signManifest(manifest, key))
}

/** Until none of them is just being deleted. */
async function ask(
  client: Pushing['client'],
  push: string,
  chunks: Parameters<Client['imagePushes']['chunks']>[1]['chunks'],
): Promise<ChunkAnswer[]> {
  for (let attempt = 1; ; attempt += 1) {
    const answers = (await client.imagePushes.chunks(push, { chunks })).chunks
    if (answers.every(({ state }) => state !== 'busy')) return answers
    if (attempt === BUSY_TRIES)
      throw new OutcomeError(
        'the store has been clearing away chunks that this image needs for minutes: try again later',
      )
    await sleep(1000)
  }
}

function sum(chunks: Known[]): number {
  return chunks.reduce((total, { data }) => total + data.length, 0)
}

async function digestOf(bytes: Buffer): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('hex')
}
