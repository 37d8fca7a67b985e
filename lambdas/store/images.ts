import { UserError } from '../../contract/api/faults.ts'
import { type Image, image, type Node } from '../../contract/resources.ts'
import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { recordKey } from './image-records.ts'
import { deletedItem, referenceKey } from './image-references.ts'
import { list, type Listed } from './paging.ts'

export const imageKey = (uuid: string): Key => ({ pk: `image#${uuid}`, sk: 'image' })
export const imageNameKey = (name: string): Key => ({ pk: `image-name#${name}`, sk: 'name' })
/** Where its bytes are. */
export const imageBlob = (uuid: string): string => `images/${uuid}`

export function imageItem(image: Image): Item {
  return {
    ...imageKey(image.uuid),
    version: image.version,
    value: image,
    by: { all: { pk: 'images', sk: `${image.created_at}#${image.uuid}` } },
  }
}

export function imageNameItem({ name, uuid }: Image): Item {
  return { ...imageNameKey(name), version: 1, value: { image: uuid } }
}

/** By uuid or name. */
export async function findImage(table: Table, ident: string): Promise<Image | undefined> {
  const byUuid = await table.get(imageKey(ident))
  if (byUuid) return byUuid.value as Image
  const pointer = (await table.get(imageNameKey(ident)))?.value as { image: string } | undefined
  return pointer && ((await table.get(imageKey(pointer.image)))?.value as Image | undefined)
}

export function listImages(
  table: Table,
  page: { limit: number; after?: Image; keep?: (image: Image) => boolean },
): Promise<Listed<Image>> {
  return list<Image>(table, {
    index: 'all',
    pk: 'images',
    limit: page.limit,
    keep: page.keep,
    after: page.after && imageItem(page.after),
  })
}

export async function createImage(table: Table, image: Image): Promise<void> {
  try {
    await table.write([
      { put: imageItem(image), expect: 'absent' },
      { put: imageNameItem(image), expect: 'absent' },
    ])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw new UserError(409, `An image with name ${image.name} already exists; delete it first or choose another name.`)
  }
}

/** The item that says that a node's instance_info names this image, by name or uuid. */
export const imageUseKey = (image: string, { uuid }: { uuid: string }): Key => ({ pk: `image-use#${image}`, sk: uuid })

/** The image of ours that a node names, if it does. */
export function imageNamedBy({ instance_info: info }: Pick<Node, 'instance_info'>): string | null {
  const { image_source: source } = info
  return typeof source === 'string' && imageIdent.safeParse(source).success ? source : null
}

const imageIdent = image.shape.name

/** Some of the nodes that name it: uuids. */
export async function usersOfImage(
  table: Table,
  { uuid, name }: Pick<Image, 'uuid' | 'name'>,
  limit: number,
): Promise<string[]> {
  const pages = await Promise.all([uuid, name].map((ident) => table.query({ pk: `image-use#${ident}`, limit })))
  return pages.flatMap(({ items }) => items.map(({ sk }) => sk)).slice(0, limit)
}

/** The chunks of one in chunks stay for a while, as those of a deleted image (lambdas/images/collect.ts). */
export async function deleteImage(
  table: Table,
  { uuid, name, manifest }: Image,
  now: Date,
  expect: 'present' | number = 'present',
): Promise<void> {
  const gone: Write[] = [
    { delete: imageKey(uuid), expect },
    { delete: imageNameKey(name) },
    { delete: recordKey(uuid) },
  ]
  const moved: Write[] = [
    { delete: referenceKey('image', uuid) },
    { put: deletedItem({ uuid, name, at: now.toISOString() }, 1) },
  ]
  await table.write(manifest ? [...gone, ...moved] : gone)
}

/** Its bytes may be read: it is an image, or was one until lately. */
export async function isReadable(table: Table, uuid: string): Promise<boolean> {
  if ((await table.get(imageKey(uuid))) !== undefined) return true
  return (await table.get(referenceKey('deleted', uuid))) !== undefined
}
