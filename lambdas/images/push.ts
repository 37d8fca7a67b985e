import { UserError } from '../../contract/api/faults.ts'
import { canonical } from '../../contract/images/canonical.ts'
import {
  chunksOnPage,
  type ImageManifest,
  type ImagePage,
  manifestBlob,
  needsBlob,
  pageBlob,
  sha256Of,
  type SignedManifest,
} from '../../contract/images/manifest.ts'
import { MOST_PAGE_NEEDS } from '../../contract/images/patch.ts'
import type { ChunkAnswer, ImagePush, PushedChunks } from '../../contract/images/push.ts'
import { requireSignature, UnacceptableManifest } from '../../contract/images/signature.ts'
import type { Image } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import {
  batchItem,
  forgetBatches,
  imageReferenceItem,
  pushItem,
  referenceKey,
  type StoredPush,
} from '../store/image-references.ts'
import { findImage, imageItem, imageNameItem } from '../store/images.ts'
import { holdAll } from './hold.ts'

type Needs = Pick<Platform, 'table' | 'blobs' | 'clock' | 'ids' | 'options'>

const HEADS_AT_ONCE = 32

export async function beginPush({ table, clock, ids }: Needs, name: string): Promise<ImagePush> {
  if (await findImage(table, name)) throw taken(name)
  const now = clock.now().toISOString()
  const push: ImagePush = { uuid: ids.uuid(), name, created_at: now, touched_at: now }
  await table.write([{ put: pushItem({ ...push, version: 1 }), expect: 'absent' }])
  return push
}

/** Which of these chunks the store has; those with `stored` get a URL to upload them. */
export async function pushChunks(platform: Needs, uuid: string, { chunks }: PushedChunks): Promise<ChunkAnswer[]> {
  await refer(
    platform,
    uuid,
    chunks.flatMap(({ sha256, stored }) => [sha256, ...(stored?.bases ?? [])]),
  )
  return holdAll(platform, chunks)
}

/** Keeps a page, all chunks of which are there. */
export async function pushPage(platform: Needs, uuid: string, page: number, chunks: ImagePage): Promise<void> {
  const distinct = [...new Set(chunks.filter((each) => each !== null))]
  if (distinct.length > 0) await refer(platform, uuid, distinct)
  const needs = new Set<string>()
  const answers = await holdAll(
    platform,
    distinct.map((sha256) => ({ sha256 })),
    needs,
  )
  const lacking = answers.filter(({ state }) => state !== 'held')
  if (lacking[0])
    throw new UserError(
      409,
      `Page ${page}: ${lacking.length} of its chunks are not stored, among them ${lacking[0].sha256}: upload them first.`,
    )
  if (needs.size > MOST_PAGE_NEEDS)
    throw new UserError(
      409,
      `Page ${page}: its chunks are patches upon ${needs.size} others, and may be upon ${MOST_PAGE_NEEDS}: push the image without a base.`,
    )
  // Before the page, so that who reads that finds these. They stay for as long as chunks of the page are known.
  if (needs.size > 0) await platform.blobs.put(needsBlob(uuid, page), Buffer.from(canonical([...needs].sort())))
  await platform.blobs.put(pageBlob(uuid, page), Buffer.from(canonical(chunks)))
}

/** The image is there from now on, and the push is over. */
export async function completePush(platform: Needs, uuid: string, signed: SignedManifest): Promise<Image> {
  const { table, blobs, clock, options } = platform
  const push = await pushOf(platform, uuid)
  try {
    requireSignature(signed, options.image_keys)
  } catch (error) {
    if (error instanceof UnacceptableManifest) throw new UserError(400, `Image ${push.name}: ${error.message}.`)
    throw error
  }
  await requirePages(platform, push, signed.manifest)
  const text = Buffer.from(canonical(signed))
  await blobs.put(manifestBlob(uuid), text)
  const image = imageOf(push, signed, text, clock.now().toISOString())
  try {
    await table.write([
      { delete: referenceKey('push', uuid), expect: 'present' },
      { put: imageReferenceItem(uuid), expect: 'absent' },
      { put: imageItem(image), expect: 'absent' },
      { put: imageNameItem(image), expect: 'absent' },
    ])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw error.index === 0 ? over(uuid) : taken(push.name)
  }
  await forgetBatches(table, uuid)
  return image
}

/** Writes, in one go with a sign of life of the push, that it needs these. */
async function refer(platform: Needs, uuid: string, chunks: string[]): Promise<void> {
  for (;;) {
    const push = await pushOf(platform, uuid)
    const now = platform.clock.now()
    const touched = { ...push, touched_at: now.toISOString(), version: push.version + 1 }
    try {
      await platform.table.write([
        { put: pushItem(touched), expect: push.version },
        { put: batchItem(uuid, chunks, now) },
      ])
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error // its batches come several at once
    }
  }
}

async function requirePages({ blobs }: Needs, push: StoredPush, manifest: ImageManifest): Promise<void> {
  const pages = manifest.pages.flatMap((digest, page) => (digest === null ? [] : [{ digest, page }]))
  for (let at = 0; at < pages.length; at += HEADS_AT_ONCE)
    await Promise.all(
      pages.slice(at, at + HEADS_AT_ONCE).map(async ({ digest, page }) => {
        const bytes = await blobs.get(pageBlob(push.uuid, page))
        if (!bytes || sha256Of(bytes) !== digest)
          throw new UserError(409, `Image ${push.name}: page ${page} is not stored, or is another one; store it again.`)
        const count = (JSON.parse(Buffer.from(bytes).toString('utf8')) as ImagePage).length
        if (count !== chunksOnPage(manifest, page))
          throw new UserError(
            400,
            `Image ${push.name}: page ${page} has ${count} chunks, which is not what the disk has.`,
          )
      }),
    )
}

/** `text`: as it is stored. */
export function factsOf({ manifest, signature }: SignedManifest, text: Buffer): NonNullable<Image['manifest']> {
  return {
    sha256: sha256Of(text),
    size: text.length,
    stored_size: manifest.stored_size,
    source_format: manifest.source_format,
    boot_modes: manifest.boot_modes,
    table: manifest.layout.table,
    key: signature?.key ?? null,
  }
}

function imageOf(push: StoredPush, signed: SignedManifest, text: Buffer, now: string): Image {
  const { manifest } = signed
  return {
    uuid: push.uuid,
    name: push.name,
    state: 'active',
    size: manifest.virtual_size,
    disk_format: 'raw',
    os_hash_algo: 'sha256',
    os_hash_value: manifest.sha256,
    manifest: factsOf(signed, text),
    created_at: now,
    updated_at: null,
    version: 1,
  }
}

async function pushOf({ table }: Needs, uuid: string): Promise<StoredPush> {
  const item = await table.get(referenceKey('push', uuid))
  if (!item) throw over(uuid)
  return item.value as StoredPush
}

function over(uuid: string): UserError {
  return new UserError(404, `There is no push ${uuid} going on: it has ended, or nothing was heard of it for too long.`)
}

function taken(name: string): UserError {
  return new UserError(409, `An image with name ${name} already exists; delete it first or choose another name.`)
}
