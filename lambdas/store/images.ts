import { UserError } from '../../contract/api/faults.ts'
import { type Image, image, type Node } from '../../contract/resources.ts'
import { ConflictError, type Item, type Key, type Table } from '../platform.ts'
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

/** By uuid or name. */
export async function findImage(table: Table, ident: string): Promise<Image | undefined> {
  const byUuid = await table.get(imageKey(ident))
  if (byUuid) return byUuid.value as Image
  const pointer = (await table.get(imageNameKey(ident)))?.value as { image: string } | undefined
  return pointer && ((await table.get(imageKey(pointer.image)))?.value as Image | undefined)
}

export function listImages(table: Table, page: { limit: number; after?: Image }): Promise<Listed<Image>> {
  return list<Image>(table, {
    index: 'all',
    pk: 'images',
    limit: page.limit,
    after: page.after && imageItem(page.after),
  })
}

export async function createImage(table: Table, image: Image): Promise<void> {
  const name = { ...imageNameKey(image.name), version: 1, value: { image: image.uuid } }
  try {
    await table.write([
      { put: imageItem(image), expect: 'absent' },
      { put: name, expect: 'absent' },
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

export async function deleteImage(table: Table, image: Image): Promise<void> {
  await table.write([{ delete: imageKey(image.uuid), expect: 'present' }, { delete: imageNameKey(image.name) }])
}
