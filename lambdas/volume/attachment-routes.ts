import { UserError } from '../../contract/api/faults.ts'
import type { Volume } from '../../contract/block-storage.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches } from '../openstack/listing.ts'
import { seesAll } from '../openstack/rights.ts'
import { all } from '../store/paging.ts'
import { completeAttachment, connectAttachment, detachVolume, reserveVolume } from './attach.ts'
import { connectionOf } from './exported.ts'
import { attachmentOf, changeableVolume, requireOwn } from './find.ts'
import { attachmentCreation, attachmentUpdate, type Connector } from './input.ts'
import { PATH } from './path.ts'
import { volumesFor } from './store.ts'
import { attachmentView } from './views.ts'

/** Since these microversions clients name attachments, and say when they are through. */
const SINCE = 27
const COMPLETE_SINCE = 44

export function attachmentRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/attachments`
  const one = `${path}/:attachment`
  app.use(`${path}/*`, (call, next) => since(call, SINCE, next))
  app.get(path, (call) => listed(call, ground, false))
  app.get(`${path}/summary`, (call) => listed(call, ground, false))
  app.get(`${path}/detail`, (call) => listed(call, ground, true))
  app.post(path, async (call) => {
    const {
      volume_uuid: volume,
      instance_uuid: server,
      connector,
    } = attachmentCreation.parse(await readJson(call)).attachment
    await changeableVolume(call, ground, volume, 'attachment_create')
    const attachment = ground.ids.uuid()
    const reserved = await reserveVolume(ground, { volume, attachment }, server ?? null)
    if (connector && 'initiator' in connector)
      return connected(call, ground, { volume, attachment }, connector as Connector)
    const made = reserved.attachments.find(({ uuid }) => uuid === attachment)
    return call.json({ attachment: made && attachmentView(reserved, made) })
  })
  app.get(one, async (call) => {
    const { volume, attachment } = await attachmentOf(call, ground, call.req.param('attachment'))
    return call.json({ attachment: attachmentView(volume, attachment) })
  })
  app.put(one, async (call) => {
    const { connector } = attachmentUpdate.parse(await readJson(call)).attachment
    const { volume, attachment } = await changeable(call, ground)
    if (attachment.status === 'detaching') throw new UserError(409, `Attachment ${attachment.uuid} is being deleted.`)
    return connected(call, ground, { volume: volume.uuid, attachment: attachment.uuid }, connector)
  })
  app.post(`${one}/action`, async (call) => {
    if (call.var.minor < COMPLETE_SINCE) throw new UserError(404, 'The resource could not be found.')
    const body = (await readJson(call)) as Record<string, unknown> | undefined
    if (!Object.hasOwn(body ?? {}, 'os-complete')) throw new UserError(400, 'There is only the action os-complete.')
    const { volume, attachment } = await changeable(call, ground)
    if (attachment.status !== 'attaching')
      throw new UserError(
        400,
        `Invalid volume: attachment ${attachment.uuid} must be attaching, but is ${attachment.status}.`,
      )
    await completeAttachment(ground, { volume: volume.uuid, attachment: attachment.uuid })
    return call.body(null, 204)
  })
  app.delete(one, async (call) => {
    const { volume, attachment } = await changeable(call, ground)
    const after = await detachVolume(ground, { volume: volume.uuid, attachment: attachment.uuid })
    const left = after?.attachments.filter(({ uuid }) => uuid !== attachment.uuid) ?? []
    return call.json({ attachments: left.map((each) => attachmentView(volume, each)) })
  })

  async function changeable(call: Call, { table }: Ground) {
    const found = await attachmentOf(call, { table }, call.req.param('attachment') ?? '')
    requireOwn(call, found.volume, 'attachment_update')
    return found
  }
}

function since(call: Call, minor: number, next: () => Promise<void>): Promise<void> {
  if (call.var.minor < minor) throw new UserError(404, 'The resource could not be found.')
  return next()
}

async function connected(
  call: Call,
  ground: Ground,
  which: { volume: string; attachment: string },
  connector: Connector,
): Promise<Response> {
  const told = await connectAttachment(ground, which, connector)
  const { volume, attachment, info } = await connectionOf(ground, told, which.attachment)
  return call.json({ attachment: { ...attachmentView(volume, attachment), connection_info: info } })
}

async function listed(call: Call, { table }: Ground, detailed: boolean): Promise<Response> {
  const { filters } = asked(call)
  const everybodys = seesAll(call) && (filters['all_tenants']?.some((each) => each !== '0') ?? false)
  const project = call.var.caller.project?.id
  const volumes = everybodys
    ? await all<Volume>(table, { index: 'all', pk: 'volumes' })
    : project === undefined
      ? []
      : await all<Volume>(table, volumesFor(project))
  const views = volumes.flatMap((volume) => volume.attachments.map((each) => attachmentView(volume, each)))
  const kept = views.filter((view) => matches({ ...view, instance_id: view.instance }, filters))
  return call.json({
    attachments: kept.map(({ id, status, instance, volume_id, ...more }) =>
      detailed ? { id, status, instance, volume_id, ...more } : { id, status, instance, volume_id },
    ),
  })
}
