import { Readable } from 'node:stream'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isAdmin } from '../openstack/rights.ts'
import type { Image } from '../../contract/resources.ts'
import { joined } from '../images/join.ts'
import { manifestOf } from '../store/image-references.ts'
import { imageBlob } from '../store/images.ts'
import { requireTarget } from '../webhooks/target.ts'
import type { WebhookConfig } from '../webhooks/config.ts'
import type { Importer } from './importer.ts'
import { requireDeployable } from './input.ts'
import { PATH } from './path.ts'
import { activate, largest, receive, tooLarge } from './receive.ts'
import { changeRecord, type Entry, findEntry, noImage, statusOf } from './records.ts'
import { type Into, roomFor } from './room.ts'
import { entryOf, ownEntry } from './sight.ts'

const DATA_TYPE = 'application/octet-stream'
const SAVE_SECONDS = 3600

export interface Importing {
  importer: Importer | undefined
  /** Where it may fetch from. */
  reach: Pick<WebhookConfig, 'networks' | 'http'> | undefined
}

const method = z.discriminatedUnion('name', [
  z.looseObject({ name: z.literal('glance-direct') }),
  z.looseObject({ name: z.literal('web-download'), uri: z.url({ protocol: /^https?$/ }).max(2048) }),
])
const importing = z.object({ method })

/** An image's bytes: sent with one request, staged and then imported, fetched from a web server, and read again. */
export function dataRoutes(app: Service, ground: Ground, { importer, reach }: Importing): void {
  const { blobs, clock, log } = ground
  const path = `${PATH}/images/:image`
  app.put(`${path}/file`, async (call) => {
    const data = await received(call, 'image_size_total')
    await kept(call.req.param('image').toLowerCase(), (entry) => activate(ground, entry, data))
    importer?.came?.()
    return call.body(null, 204)
  })
  app.put(`${path}/stage`, async (call) => {
    const data = await received(call, 'image_stage_total')
    await kept(call.req.param('image').toLowerCase(), ({ record: { uuid } }) =>
      changeRecord(ground, uuid, () => ({ status: 'uploading', data })),
    )
    return call.body(null, 204)
  })
  app.post(`${path}/import`, async (call) => {
    const asked = importing.parse(await readJson(call)).method
    const { record } = await ownEntry(call, ground, call.req.param('image'), 'modify_image')
    if (asked.name === 'glance-direct') {
      if (record.status !== 'uploading' || !record.data)
        throw new UserError(409, `Image ${record.uuid} is ${record.status}: stage its data before they are imported.`)
      await activate(ground, { record, image: undefined }, record.data)
      importer?.came?.()
    } else await download(call, record, asked.uri)
    return call.body(null, 202)
  })
  app.get(`${path}/file`, async (call) => {
    const { record, image } = await entryOf(call, ground, call.req.param('image'))
    if (record.status === 'deactivated' && !isAdmin(call))
      throw new UserError(403, `Image ${record.uuid} is deactivated: an administrator may reactivate it.`)
    if (!image || image.state !== 'active') return call.body(null, 204)
    const whole = await blobs.head(imageBlob(record.uuid))
    if (whole && !blobs.putStream) return call.redirect(await blobs.signGet(imageBlob(record.uuid), SAVE_SECONDS), 307)
    const stream = whole ? await blobs.stream(imageBlob(record.uuid)) : await disk(image)
    if (!stream) throw new UserError(404, `The data of image ${record.uuid} are not there: send them again.`)
    call.header('content-type', DATA_TYPE)
    call.header('content-length', String(whole?.size ?? image.size))
    if (record.data) call.header('content-md5', record.data.checksum)
    return call.body(Readable.toWeb(stream) as ReadableStream)
  })
  app.get(`${path}/tasks`, async (call) => {
    const { record } = await ownEntry(call, ground, call.req.param('image'), 'get_image_tasks')
    return call.json({ tasks: record.download ? [taskOf(record, record.download)] : [] })
  })

  /** What is kept in chunks alone, put together again. */
  async function disk({ uuid, manifest: isInChunks }: Image): Promise<Readable | undefined> {
    if (!isInChunks) return undefined
    if (!blobs.putStream)
      throw new UserError(
        501,
        `Image ${uuid} is kept in chunks, and larger than what this edition of the cloud sends in one reply: sites put it together for the machines that get it.`,
      )
    const manifest = await manifestOf(blobs, uuid)
    if (!manifest) throw new Error(`image ${uuid}: its manifest is not stored`)
    return Readable.from(joined(blobs, uuid, manifest), { objectMode: false })
  }

  /** Takes the body, unless others are at it; what fails leaves the image as it was, without data. */
  async function received(call: Call, into: Into): Promise<NonNullable<ImageRecord['data']>> {
    if (call.req.header('content-type')?.split(';')[0]?.trim() !== DATA_TYPE)
      throw new UserError(415, `The data of an image come as ${DATA_TYPE}.`)
    const { record: before } = await ownEntry(call, ground, call.req.param('image') ?? '', 'upload_image')
    const limit = largest(ground)
    const announced = Number(call.req.header('content-length') ?? 0)
    if (announced > limit) throw tooLarge(limit)
    const requireRoom = await roomFor(ground, before.owner, into)
    await requireRoom(announced)
    requireDeployable(before)
    const { record } = await changeRecord(ground, before.uuid, (entry) => {
      requireQueued(entry.record)
      return { status: 'saving', data: null }
    })
    const { body } = call.req.raw
    try {
      return await receive(ground, record, body ? Readable.fromWeb(body as never) : Readable.from([]), into)
    } catch (error) {
      log.warn({ image: record.uuid, why: String(error) }, 'data of an image did not come')
      await changeRecord(ground, record.uuid, (entry) =>
        entry.record.status === 'saving' ? { status: 'queued' } : undefined,
      ).catch(() => {}) // it was deleted meanwhile
      throw error
    }
  }

  /** What came for an image that was deleted meanwhile is deleted too. */
  async function kept(uuid: string, keep: (entry: Entry) => Promise<unknown>): Promise<void> {
    try {
      const entry = await findEntry(ground.table, uuid)
      if (!entry) throw noImage(uuid)
      await keep(entry)
    } catch (error) {
      const now = await findEntry(ground.table, uuid)
      // It was more than its project may have.
      const isTooMuch = error instanceof UserError && error.status === 413 && now?.record.status === 'saving'
      if (!now || isTooMuch) await blobs.delete(imageBlob(uuid))
      if (isTooMuch) await changeRecord(ground, uuid, () => ({ status: 'queued' }))
      throw error
    }
  }

  function requireQueued(record: ImageRecord): void {
    const status = statusOf(record, clock.now())
    if (status !== 'queued')
      throw new UserError(
        409,
        `Image status transition from ${status} to saving is not allowed: it has data, or they come.`,
      )
  }

  async function download(call: Call, { uuid }: ImageRecord, url: string): Promise<void> {
    if (!importer || !reach)
      throw new UserError(
        400,
        "This edition of the cloud fetches nothing: `bloomery image push` takes a URL, and nodes' image_source too.",
      )
    requireTarget(url, { ...reach, http: true })
    await changeRecord(ground, uuid, ({ record }) => {
      requireQueued(record)
      requireDeployable(record)
      const by = call.var.caller.user?.id ?? null
      const begun_at = clock.now().toISOString()
      return { status: 'importing', download: { url, failed: null, request: call.var.requestId, begun_at, by } }
    })
    log.info({ image: uuid, host: new URL(url).host }, 'image is to be fetched')
    await importer.wake(uuid)
  }
}

function taskOf(record: ImageRecord, { url, failed, request, begun_at, by }: NonNullable<ImageRecord['download']>) {
  const isOver = record.status !== 'importing'
  return {
    id: request.replace(/^req-/, ''),
    type: 'api_image_import',
    status: failed === null ? (isOver ? 'success' : 'processing') : 'failure',
    owner: record.owner,
    image_id: record.uuid,
    request_id: request,
    user_id: by,
    input: { image_id: record.uuid, import_req: { method: { name: 'web-download', uri: url } } },
    result: isOver && failed === null ? { image_id: record.uuid } : null,
    message: failed ?? '',
    created_at: begun_at,
    updated_at: record.updated_at ?? begun_at,
  }
}
