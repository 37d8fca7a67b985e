import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import { type Image, image as imageSchema, instant } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { createImage, deleteImage, findImage, imageBlob, imageItem, listImages, usersOfImage } from '../store/images.ts'
import { getNode } from '../store/nodes.ts'
import { readJson } from './body.ts'
import { countedTable } from '../image-service/counted.ts'
import { recordsOf, recordStore } from '../image-service/records.ts'
import { seesImage } from '../images/sight.ts'
import type { Api, Call } from './context.ts'
import { requireMatch, tagged } from './etag.ts'
import { collection, flag, onlyKnown, paging } from './query.ts'

/** Of nodes that name an image, no more are counted. */
const MOST_COUNTED = 1000
export const retention = z.strictObject({ expires_at: instant.nullable() })
const UPLOAD_SECONDS = 6 * 3600
export const imageName = imageSchema.shape.name.refine(
  (name) => !z.uuid().safeParse(name).success,
  'an image name must not look like a uuid',
)
const creation = z.strictObject({
  name: imageName,
  size: z
    .int()
    .positive()
    .max(2 ** 42),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'),
  disk_format: imageSchema.shape.disk_format,
})

/** Images to deploy: announced with size and digest, uploaded straight to the blob store, then confirmed. */
export function imageRoutes(app: Api, platform: Platform): void {
  const { table, blobs, clock, ids } = platform
  app.post('/v1/images', async (call) => {
    const { sha256, ...given } = creation.parse(await readJson(call))
    const image: Image = {
      ...given,
      uuid: ids.uuid(),
      state: 'queued',
      os_hash_algo: 'sha256',
      os_hash_value: sha256,
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await createImage(table, image)
    const upload = await blobs.signPut(imageBlob(image.uuid), { size: image.size, sha256 }, UPLOAD_SECONDS)
    call.header('location', `${call.var.showing.base}/v1/images/${image.uuid}`)
    return tagged(call, image, { image: shown(image), upload }, 201)
  })
  app.get('/v1/images', async (call) => {
    onlyKnown(call, [])
    const { limit, marker } = paging(call)
    const after = marker === undefined ? undefined : await imageOf(call, platform, marker)
    const records = await recordsOf(table)
    const found = await listImages(table, { limit, after, keep: ({ uuid }) => isSeen(call, records.get(uuid)) })
    return call.json(collection(call, 'images', 'images', found.values.map(shown), found.marker?.uuid))
  })
  app.get('/v1/images/:ident', async (call) => {
    const image = await imageOf(call, platform, call.req.param('ident'))
    const used_by_nodes = (await usersOfImage(table, image, MOST_COUNTED)).length
    return tagged(call, image, { ...shown(image), used_by_nodes })
  })
  app.put('/v1/images/:ident/retention', async (call) => {
    const { expires_at } = retention.parse(await readJson(call))
    const image = await imageOf(call, platform, call.req.param('ident'))
    requireMatch(call, `Image ${image.name}`, image)
    const after = await changeImage(platform, image, { expires_at })
    return tagged(call, after, shown(after))
  })
  app.post('/v1/images/:ident/complete', async (call) => {
    const image = await complete(platform, await imageOf(call, platform, call.req.param('ident')))
    return tagged(call, image, shown(image))
  })
  app.delete('/v1/images/:ident', async (call) => {
    const image = await imageOf(call, platform, call.req.param('ident'))
    requireMatch(call, `Image ${image.name}`, image)
    if (!(flag('force', call.req.query('force')) ?? false)) await requireUnused(platform, image)
    const record = await recordStore.get(table, image.uuid)
    await deleteImage(countedTable(table, record, undefined), image, clock.now())
    await blobs.delete(imageBlob(image.uuid))
    return call.body(null, 204)
  })
}

/** The upload is there and is what was announced. */
async function complete(platform: Platform, image: Image): Promise<Image> {
  const { blobs, log } = platform
  if (image.state === 'active') return image
  const stored = await blobs.head(imageBlob(image.uuid))
  if (!stored)
    throw new UserError(409, `Image ${image.name} has not been uploaded yet: PUT it to its upload URL first.`)
  if (stored.size !== image.size || stored.sha256 !== image.os_hash_value)
    throw new UserError(
      409,
      `Image ${image.name}: uploaded were ${stored.size} bytes of sha256 ${stored.sha256 ?? 'unknown'}, announced ${image.size} of ${image.os_hash_value}; upload it again.`,
    )
  const active = await changeImage(platform, image, { state: 'active' })
  log.info({ image: image.uuid, name: image.name, size: image.size }, 'image complete')
  return active
}

async function changeImage({ table, clock }: Platform, image: Image, change: Partial<Image>): Promise<Image> {
  const after: Image = { ...image, ...change, updated_at: clock.now().toISOString(), version: image.version + 1 }
  try {
    await table.write([{ put: imageItem(after), expect: image.version }])
  } catch (error) {
    if (error instanceof ConflictError)
      throw new UserError(409, `Image ${image.name} was changed at the same moment, please retry.`)
    throw error
  }
  return after
}

const NAMED = 5

async function requireUnused({ table }: Platform, { name, uuid }: Image): Promise<void> {
  const users = await usersOfImage(table, { name, uuid }, NAMED + 1)
  if (users.length === 0) return
  const nodes = await Promise.all(users.slice(0, NAMED).map((node) => getNode(table, node)))
  const named = nodes.map((node, at) => node?.name ?? users[at]).join(', ')
  const more = users.length > NAMED ? ' and others' : ''
  throw new UserError(
    409,
    `Image ${name} is what node${users.length > 1 ? 's' : ''} ${named}${more} would be rebuilt from: undeploy or change them first, or say force=true.`,
  )
}

/** One that the caller sees. What was pushed in chunks, and is nowhere in the image service, is everybody's. */
export async function imageOf(call: Call, { table }: Platform, ident: string): Promise<Image> {
  const image = await findImage(table, ident)
  if (!image || !isSeen(call, await recordStore.get(table, image.uuid)))
    throw new UserError(404, `Image ${ident} could not be found.`)
  return image
}

const isSeen = (call: Call, record: ImageRecord | undefined): boolean =>
  record === undefined || seesImage(call.var.caller, record)

export function shown({ version: _version, ...image }: Image) {
  return image
}
