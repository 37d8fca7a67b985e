import { createHash, webcrypto } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Chunk, chunksOf } from '@bloomery/image/chunks.ts'
import type { Client } from '../../contract/api/client.ts'
import type { ImageView } from '../../contract/api/views.ts'
import {
  CHUNK_BYTES,
  type ImageManifest,
  type ImagePage,
  PAGE_CHUNKS,
  pageDigest,
  sha256Of,
} from '../../contract/images/manifest.ts'
import type { ChunkAnswer } from '../../contract/images/push.ts'
import { MOST_DEPTH } from '../../contract/images/patch.ts'
import { signManifest } from '../../contract/images/signature.ts'
import { OutcomeError } from '../usage.ts'
import type { Base, BaseChunk } from './base.ts'
import { pack, type Packed, packWhole } from './pack.ts'
import type { Source } from './source.ts'
import { uploadBytes } from './upload.ts'

/** Sends a disk chunk by chunk, and of its chunks only those that the store lacks. Begun again after it broke off, it finds what it has sent. */
export interface Pushing {
  client: Pick<Client, 'imagePushes'>
  name: string
  source: Source
  /** An earlier version, upon which chunks may be patches. */
  base?: Base | undefined
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
interface Known {
  index: number
  sha256: string
  data: Buffer
}

export async function pushImage({
  client,
  name,
  source,
  base,
  key,
  progress,
  put = uploadBytes,
}: Pushing): Promise<ImageView> {
  const { uuid } = await client.imagePushes.begin(name)
  const sizes = new Map<string, number>()
  /** Of the base's chunks, those that are known to be in the store, or not. */
  const standing = new Map<string, boolean>()
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
    const found = await Promise.all(
      chunks.map(async ({ index, data }) => ({ index, sha256: await digestOf(data), data })),
    )
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
    const upon = await basesOf(lacking)
    const packed = new Map<string, Packed>()
    await Promise.all(
      lacking.map(async ({ sha256, data }, at) => void packed.set(sha256, await pack(data, base, upon[at]!))),
    )
    const refused = await upload(packed)
    if (refused.size === 0) return
    const whole = lacking.filter(({ sha256 }) => refused.has(sha256))
    const again = await Promise.all(whole.map(async ({ sha256, data }) => [sha256, await packWhole(data)] as const))
    await upload(new Map(again))
  }

  /** Those that the store wants whole. */
  async function upload(packed: ReadonlyMap<string, Packed>): Promise<Set<string>> {
    const refused = new Set<string>()
    const answers = await ask(
      client,
      uuid,
      [...packed].map(([sha256, { bytes, bases }]) => ({
        sha256,
        stored: { sha256: sha256Of(bytes), size: bytes.length, bases },
      })),
    )
    await Promise.all(
      answers.map(async ({ sha256, upload: to, whole }) => {
        if (whole) return void refused.add(sha256)
        const { bytes } = packed.get(sha256)!
        if (to) await put(to, bytes, `chunk ${sha256.slice(0, 12)}`)
        sizes.set(sha256, bytes.length)
        progress.stored(bytes.length)
      }),
    )
    return refused
  }

  /** Of each, those chunks of the base that are like it and that the store has. */
  async function basesOf(chunks: readonly Known[]): Promise<BaseChunk[][]> {
    if (!base) return chunks.map(() => [])
    const like = chunks.map(({ index, data }) => base.like(index, data))
    const unknown = new Set(like.flat().flatMap(({ sha256 }) => (standing.has(sha256) ? [] : [sha256])))
    if (unknown.size > 0)
      for (const { sha256, state, depth = 0 } of await ask(
        client,
        uuid,
        [...unknown].map((sha256) => ({ sha256 })),
      ))
        standing.set(sha256, state === 'held' && depth < MOST_DEPTH)
    return like.map((each) => each.filter(({ sha256 }) => standing.get(sha256)))
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
