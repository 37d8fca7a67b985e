import { createHash } from 'node:crypto'
import {
  type ImagePage,
  imagePage,
  type ImageManifest,
  manifestBlob,
  needsBlob,
  pageBlob,
} from '../../contract/images/manifest.ts'
import type { ImagePush } from '../../contract/images/push.ts'
import { readManifest } from '../../contract/images/signature.ts'
import type { Blobs, Item, Key, Table } from '../platform.ts'
import { items } from './paging.ts'

/** Who refers to chunks: pushes that go on, images, images that were deleted while a plan may still need them, and chunks that are patches upon
 * others. All stand in one partition, so that reading them is strongly consistent. */

const PARTITION = 'image-references'
const KEPT_SECONDS = 14 * 86_400

/** In the order in which an image goes through them: who reads them in this order misses none that moves on meanwhile. A patch is written by a push
 * that refers to its bases itself, so that it comes after that. */
export const referrers = ['push', 'image', 'deleted', 'patch'] as const
export type Referrer = (typeof referrers)[number]

export const referenceKey = (kind: Referrer, uuid: string): Key => ({ pk: PARTITION, sk: `${kind}#${uuid}` })

export interface StoredPush extends ImagePush {
  version: number
}
export interface DeletedImage {
  uuid: string
  name: string
  at: string
  /** Its pages are going: they don't count any more. */
  dropping?: true
}

/** What a chunk that is a patch can't be put together without: referred to for as long as anything is known of that chunk. */
export interface Patched {
  needs: readonly string[]
}

export function pushItem(push: StoredPush): Item {
  return { ...referenceKey('push', push.uuid), version: push.version, value: push }
}
export function imageReferenceItem(uuid: string): Item {
  return { ...referenceKey('image', uuid), version: 1, value: { uuid } }
}
export function deletedItem(image: DeletedImage, version: number): Item {
  return { ...referenceKey('deleted', image.uuid), version, value: image }
}

export function patchItem(sha256: string, needs: readonly string[]): Item {
  return { ...referenceKey('patch', sha256), version: 1, value: { needs } satisfies Patched }
}

export function referencesOf(table: Table, kind: Referrer): AsyncGenerator<Item> {
  return items(table, { pk: PARTITION, prefix: `${kind}#` })
}

const batchPartition = (push: string): string => `image-push-chunks#${push}`

/** One list of chunks that a push announced; announced again it is the same item. */
export function batchItem(push: string, chunks: readonly string[], now: Date): Item {
  const bytes = Buffer.from(chunks.join(''), 'hex')
  return {
    pk: batchPartition(push),
    sk: createHash('sha256').update(bytes).digest('hex'),
    version: 1,
    value: bytes.toString('base64'),
    expires: Math.ceil(now.getTime() / 1000) + KEPT_SECONDS,
  }
}

export async function* chunksOfPush(table: Table, push: string): AsyncGenerator<string> {
  for await (const { value } of items(table, { pk: batchPartition(push) })) {
    const bytes = Buffer.from(value as string, 'base64')
    for (let at = 0; at < bytes.length; at += 32) yield bytes.toString('hex', at, at + 32)
  }
}

export async function forgetBatches(table: Table, push: string): Promise<void> {
  for await (const { pk, sk } of items(table, { pk: batchPartition(push) })) await table.write([{ delete: { pk, sk } }])
}

/** Chunks that those of the page are patches upon. */
export async function needsOf(blobs: Blobs, image: string, page: number): Promise<string[]> {
  const bytes = await blobs.get(needsBlob(image, page))
  return bytes ? imagePage.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).filter((each) => each !== null) : []
}

/** Undefined: it is not stored. */
export async function manifestOf(blobs: Blobs, image: string): Promise<ImageManifest | undefined> {
  const bytes = await blobs.get(manifestBlob(image))
  return bytes && readManifest(Buffer.from(bytes).toString('utf8'), [])
}

export async function pageOf(blobs: Blobs, image: string, page: number): Promise<ImagePage | undefined> {
  const bytes = await blobs.get(pageBlob(image, page))
  return bytes && imagePage.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
}
