import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import { readJson } from '../api/body.ts'
import { deleteImage, imageBlob, usersOfImage } from '../store/images.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isAdmin, projectOf, requireAdmin, requireMember, seesAll } from '../openstack/rights.ts'
import { chosen, sorted } from './choose.ts'
import { countedTable } from './counted.ts'
import { imageId, parted, recordFields } from './input.ts'
import { imagePatch, PATCH_TYPE, patched } from './patch.ts'
import { PATH } from './path.ts'
import { allEntries, changeRecord, type Entry, findEntry, recordStore } from './records.ts'
import { entryOf, isOwn, isVisible, membership, ownEntry, requireOwn } from './sight.ts'
import { imageView } from './view.ts'

const MOST = 1000
const DEFAULT_LIMIT = 25

/** Images: made, listed, shown, changed and deleted. `methods` are those of import. */
export function imageRoutes(app: Service, ground: Ground, methods: readonly string[]): void {
  const { table, clock, ids, log, blobs } = ground
  const path = `${PATH}/images`
  const shown = (entry: Entry) => imageView(entry, clock.now())
  app.get(path, async (call) => {
    const query = call.req.queries()
    const entries = (await allEntries(table)).filter((each) => isListed(call, each.record, query))
    const found = sorted(chosen(entries.map(shown), query), query)
    const { limit, marker } = call.req.query()
    const size = limit === undefined ? DEFAULT_LIMIT : Number(limit)
    if (!Number.isInteger(size) || size < 0) throw new UserError(400, 'limit param must be a whole number')
    const at = marker === undefined ? -1 : found.findIndex(({ id }) => id === marker)
    if (marker !== undefined && at === -1) throw new UserError(400, `Invalid marker: ${marker.slice(0, 64)}`)
    const images = found.slice(at + 1, at + 1 + Math.min(size, MOST))
    const parameters = new URL(call.req.url).searchParams
    parameters.delete('marker')
    const first = parameters.size > 0 ? `/v2/images?${parameters.toString()}` : '/v2/images'
    const isMore = at + 1 + images.length < found.length
    if (isMore && images.length > 0) parameters.set('marker', images.at(-1)!.id)
    return call.json({
      images,
      first,
      schema: '/v2/schemas/images',
      ...(isMore && images.length > 0 ? { next: `/v2/images?${parameters.toString()}` } : {}),
    })
  })
  app.post(path, async (call) => {
    requireMember(call, 'add_image')
    const body = await readJson(call)
    const record = newRecord(call, body)
    if (record.visibility === 'public') requireAdmin(call, 'publicize_image')
    if (record.owner !== (call.var.caller.project?.id ?? null)) requireAdmin(call, 'add_image for another project')
    if (await findEntry(table, record.uuid)) throw new UserError(409, `Image ID ${record.uuid} already exists!`)
    await recordStore.save(countedTable(table, undefined, record), undefined, record)
    log.info({ image: record.uuid, name: record.name, project: record.owner }, 'image announced')
    call.header('location', `${call.var.base}${path}/${record.uuid}`)
    call.header('openstack-image-import-methods', methods.join(','))
    return call.json(shown({ record, image: undefined }), 201)
  })
  app.get(`${path}/:image`, async (call) => call.json(shown(await entryOf(call, ground, call.req.param('image')))))
  app.patch(`${path}/:image`, async (call) => {
    if (call.req.header('content-type')?.split(';')[0]?.trim() !== PATCH_TYPE)
      throw new UserError(415, `An image is changed by a body of type ${PATCH_TYPE}.`)
    const patch = imagePatch.parse(await readJson(call))
    const { record: before } = await ownEntry(call, ground, call.req.param('image'), 'modify_image')
    const after = await changeRecord(ground, before.uuid, ({ record }) => {
      requireOwn(call, record, 'modify_image')
      const change = patched(record, patch)
      if (change.visibility === 'public' && record.visibility !== 'public') requireAdmin(call, 'publicize_image')
      if (change.owner !== undefined && change.owner !== record.owner) requireAdmin(call, 'changing the owner')
      return change
    })
    return call.json(shown(after))
  })
  app.delete(`${path}/:image`, async (call) => {
    const { record, image } = await ownEntry(call, ground, call.req.param('image'), 'delete_image')
    if (record.protected) throw new UserError(403, `Image ${record.uuid} is protected and cannot be deleted.`)
    const [user] = image ? await usersOfImage(table, image, 1) : []
    if (user !== undefined)
      throw new UserError(
        409,
        `Image ${record.uuid} could not be deleted because it is in use: node ${user} would be rebuilt from it.`,
      )
    const counted = countedTable(table, record, undefined)
    if (image) await deleteImage(counted, image, clock.now())
    else await recordStore.remove(counted, record)
    await blobs.delete(imageBlob(record.uuid))
    log.info({ image: record.uuid, name: record.name, user: call.var.caller.user?.id }, 'image deleted')
    return call.body(null, 204)
  })
  for (const [action, status] of [
    ['deactivate', 'deactivated'],
    ['reactivate', 'active'],
  ] as const)
    app.post(`${path}/:image/actions/${action}`, async (call) => {
      requireAdmin(call, action)
      const { record } = await entryOf(call, ground, call.req.param('image'))
      await changeRecord(ground, record.uuid, ({ record: { status: now } }) => {
        if (now !== 'active' && now !== 'deactivated')
          throw new UserError(403, `Not allowed to ${action} image in status '${now}'`)
        return now === status ? undefined : { status }
      })
      return call.body(null, 204)
    })
  app.on(['PUT', 'DELETE'], `${path}/:image/tags/:tag`, async (call) => {
    const { record } = await ownEntry(call, ground, call.req.param('image'), 'modify_image')
    const { tags } = parted({ tags: [call.req.param('tag')] }).fields
    const tag = tags![0]!
    await changeRecord(ground, record.uuid, ({ record: { tags: all } }) => {
      const isThere = all.includes(tag)
      if (call.req.method === 'PUT') return isThere ? undefined : { tags: parted({ tags: [...all, tag] }).fields.tags! }
      if (!isThere) throw new UserError(404, `Image ${record.uuid} has no tag ${tag}.`)
      return { tags: all.filter((each) => each !== tag) }
    })
    return call.body(null, 204)
  })

  function newRecord(call: Call, body: unknown): ImageRecord {
    const { fields, properties } = parted(body)
    const { id } = body as { id?: unknown }
    return {
      uuid: id === undefined ? ids.uuid() : imageId.parse(id),
      name: null,
      owner: projectOf(call),
      visibility: 'shared',
      protected: false,
      hidden: false,
      container_format: null,
      disk_format: null,
      min_disk: 0,
      min_ram: 0,
      tags: [],
      members: [],
      status: 'queued',
      data: null,
      download: null,
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
      ...recordFields(fields),
      properties,
    }
  }
}

/** One's own, what is everybody's, and what was shared and accepted; others' community images only where they are asked for. */
function isListed(call: Call, record: ImageRecord, query: Record<string, string[]>): boolean {
  const { visibility, hidden } = record
  const [wanted] = query['visibility'] ?? []
  const [status = 'accepted'] = query['member_status'] ?? []
  if (!isVisible(call, record) || hidden !== (query['os_hidden']?.[0]?.toLowerCase() === 'true')) return false
  if (wanted !== undefined && wanted !== 'all' && wanted !== visibility) return false
  const member = membership(call, record)
  if (isOwn(call, record)) return true
  if (member) return status === 'all' || status === member.status
  return visibility === 'community'
    ? wanted === 'community' || wanted === 'all'
    : visibility === 'public' || isAdmin(call) || seesAll(call)
}
