import { chunkBlob, manifestBlob, needsBlob, pageBlob, placesBlob } from '../../contract/images/manifest.ts'
import { ConflictError, type Item, type Page, type Platform } from '../platform.ts'
import { changeChunk, type ChunkRecord, CHUNKS, forgetChunk, type KnownChunk, moved, spared } from '../store/chunks.ts'
import {
  chunksOfPush,
  type DeletedImage,
  deletedItem,
  forgetBatches,
  manifestOf,
  pageOf,
  type Patched,
  referenceKey,
  referencesOf,
  referrers,
  type StoredPush,
} from '../store/image-references.ts'
import { usersOfImage } from '../store/images.ts'
import { getNode } from '../store/nodes.ts'

/** Deletes chunks that nobody refers to. It condemns first, reads all references then, and deletes what is still condemned: who refers to a
 * chunk and finds it afterwards either stands among those references or takes the condemnation back (hold.ts). */

type Needs = Pick<Platform, 'table' | 'blobs' | 'clock' | 'log'>

const HOUR = 3600 * 1000
/** A push of which nothing was heard for so long is over. */
const PUSH_MS = 24 * HOUR
/** So long the chunks of a deleted image stay, for plans that are on their way to a site. */
const DELETED_MS = 24 * HOUR
/** Longer than any function runs: whoever began to delete is no longer at it. */
const STALE_MS = HOUR
const AT_ONCE = 2000

/** Where to go on; undefined: it has been through all. */
export async function collect(platform: Needs, after: Page['next']): Promise<Page['next']> {
  await endPushes(platform)
  await dropDeleted(platform)
  const { table, clock, blobs, log } = platform
  const page = await table.query({ index: 'all', pk: CHUNKS, limit: AT_ONCE, after })
  const candidates = new Map(page.items.map((item) => [(item.value as ChunkRecord).sha256, known(item)]))
  await withoutReferred(platform, candidates)
  const condemned = new Map<string, KnownChunk>()
  const now = clock.now()
  for (const [sha256, chunk] of candidates) {
    const { state, at } = chunk.record
    const stale = now.getTime() - Date.parse(at) > STALE_MS
    if ((state === 'condemned' || state === 'doomed') && !stale) continue
    if (state === 'doomed') {
      await destroy(chunk)
      continue
    }
    const changed = await changeChunk(table, chunk, moved(chunk.record, 'condemned', now))
    if (changed) condemned.set(sha256, changed)
  }
  const all = new Map(condemned)
  await withoutReferred(platform, condemned)
  for (const [sha256, chunk] of all) {
    if (!condemned.has(sha256)) {
      await changeChunk(table, chunk, spared(chunk.record, now))
      continue
    }
    const doomed = await changeChunk(table, chunk, moved(chunk.record, 'doomed', clock.now()))
    if (doomed) await destroy(doomed)
  }
  if (condemned.size > 0) log.info({ chunks: condemned.size }, 'chunks that no image needs were deleted')
  return page.next

  async function destroy(chunk: KnownChunk): Promise<void> {
    await blobs.delete(chunkBlob(chunk.record.sha256))
    await forgetChunk(table, chunk)
  }
}

function known(item: Item): KnownChunk {
  return { record: item.value as ChunkRecord, version: item.version }
}

/** Takes out all that somebody refers to. Throws when that can't be known. */
async function withoutReferred({ table, blobs }: Needs, chunks: Map<string, KnownChunk>): Promise<void> {
  if (chunks.size === 0) return
  for (const kind of referrers)
    for await (const { value } of referencesOf(table, kind)) {
      if (kind === 'patch') {
        for (const chunk of (value as Patched).needs) chunks.delete(chunk)
        continue
      }
      const { uuid, dropping } = value as DeletedImage
      if (kind === 'push') for await (const chunk of chunksOfPush(table, uuid)) chunks.delete(chunk)
      else if (!dropping) for await (const chunk of chunksOfImage({ table, blobs }, uuid, kind)) chunks.delete(chunk)
    }
}

async function* chunksOfImage(
  { table, blobs }: Pick<Needs, 'table' | 'blobs'>,
  uuid: string,
  kind: 'image' | 'deleted',
): AsyncGenerator<string> {
  const manifest = await manifestOf(blobs, uuid)
  const pages = manifest?.pages.flatMap((digest, page) => (digest === null ? [] : [page])) ?? [0]
  for (const page of pages) {
    const chunks = manifest && (await pageOf(blobs, uuid, page))
    if (chunks) for (const chunk of chunks) if (chunk !== null) yield chunk
    if (chunks) continue
    // An image that is deleted at this moment has moved on to those that are read later, or is being dropped.
    const item = await table.get(referenceKey(kind, uuid))
    if (item && !(item.value as DeletedImage).dropping)
      throw new Error(`image ${uuid}: its pages can't be read, so nothing is collected`)
    return
  }
}

async function endPushes({ table, clock }: Needs): Promise<void> {
  for await (const { value } of referencesOf(table, 'push')) {
    const { uuid, touched_at: touched, version } = value as StoredPush
    if (clock.now().getTime() - Date.parse(touched) < PUSH_MS) continue
    const ended = await written(table.write([{ delete: referenceKey('push', uuid), expect: version }]))
    if (ended) await forgetBatches(table, uuid)
  }
}

/** Images that were deleted long enough ago and that no running operation writes. */
async function dropDeleted({ table, blobs, clock }: Needs): Promise<void> {
  for await (const { value, version } of referencesOf(table, 'deleted')) {
    const image = value as DeletedImage
    if (!image.dropping) {
      if (clock.now().getTime() - Date.parse(image.at) < DELETED_MS || (await isWritten(table, image))) continue
      const marked = await written(
        table.write([{ put: deletedItem({ ...image, dropping: true }, version + 1), expect: version }]),
      )
      if (!marked) continue
    }
    const pages = (await manifestOf(blobs, image.uuid))?.pages.length ?? 0
    for (let page = 0; page < pages; page += 1)
      for (const key of [pageBlob, placesBlob, needsBlob].map((blobOf) => blobOf(image.uuid, page)))
        await blobs.delete(key)
    await blobs.delete(manifestBlob(image.uuid))
    await table.write([{ delete: referenceKey('deleted', image.uuid) }])
  }
}

const USERS = 1000

async function isWritten(table: Needs['table'], image: DeletedImage): Promise<boolean> {
  for (const uuid of await usersOfImage(table, image, USERS)) if ((await getNode(table, uuid))?.operation) return true
  return false
}

async function written(writing: Promise<void>): Promise<boolean> {
  try {
    await writing
    return true
  } catch (error) {
    if (error instanceof ConflictError) return false
    throw error
  }
}
