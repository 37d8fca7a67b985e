import type { Volume } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import { flag } from '../api/query.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { bootable } from '../image-service/sight.ts'
import { isAdmin, isTheirs, projectOf, requireMember, seesAll } from '../openstack/rights.ts'
import { changeVolume, forTheSite } from './change-volume.ts'
import { countedTable } from './counted.ts'
import { createVolume } from './create.ts'
import { changeableVolume, volumeOf } from './find.ts'
import { metadata, volumeCreation, volumeUpdate } from './input.ts'
import { PATH } from './path.ts'
import { volumesFor, volumeStore } from './store.ts'
import { volumeBrief, volumeView } from './views.ts'

export function volumeRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/volumes`
  app.get(path, (call) => listed(call, ground, volumeBrief, path))
  app.get(`${path}/detail`, (call) => listed(call, ground, volumeView, `${path}/detail`))
  app.post(path, async (call) => {
    requireMember(call, 'volume:create')
    const given = volumeCreation.parse(await readJson(call)).volume
    const owner = {
      project_id: projectOf(call),
      user_id: call.var.caller.user?.id ?? '',
      seesTypes: isAdmin(call),
      mayUse: (volume: Volume) => isTheirs(call, volume) || seesAll(call),
    }
    const image = given.imageRef ?? given.image_id
    if (image) await bootable(call, ground, image)
    return call.json({ volume: volumeView(call, await createVolume(ground, owner, given)) }, 202)
  })
  app.get(`${path}/:volume`, async (call) =>
    call.json({ volume: volumeView(call, await volumeOf(call, ground, call.req.param('volume'))) }),
  )
  app.put(`${path}/:volume`, async (call) => {
    const { uuid } = await changeableVolume(call, ground, call.req.param('volume'), 'update')
    const { name, description, metadata: said } = volumeUpdate.parse(await readJson(call)).volume
    const after = await changeVolume(ground, uuid, () => ({
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(said === undefined ? {} : { metadata: said }),
    }))
    if (!after) throw new UserError(404, `Volume ${uuid} could not be found.`)
    return call.json({ volume: volumeView(call, after) })
  })
  app.delete(`${path}/:volume`, async (call) => {
    const volume = await changeableVolume(call, ground, call.req.param('volume'), 'delete')
    await deleteVolume(ground, volume, {
      cascade: flag('cascade', call.req.query('cascade') ?? 'false') === true,
      force: false,
    })
    return call.body(null, 202)
  })
  metadataRoutes(app, ground)
}

const deletable = new Set<Volume['status']>(['available', 'error', 'error_deleting', 'error_extending'])

export async function deleteVolume(
  ground: Ground,
  { uuid }: Pick<Volume, 'uuid'>,
  { cascade, force }: { cascade: boolean; force: boolean },
): Promise<void> {
  const after = await changeVolume(ground, uuid, (volume) => {
    if (volume.status === 'deleting') return undefined
    if (!force && (!deletable.has(volume.status) || volume.attachments.length > 0))
      throw new UserError(
        400,
        `Invalid volume: Volume status must be available or error and must not be attached, but is ${volume.status}.`,
      )
    if (!cascade && volume.snapshots.length > 0)
      throw new UserError(400, `Invalid volume: Volume ${uuid} has ${volume.snapshots.length} dependent snapshots.`)
    // Of one without an appliance no site ever heard.
    return { ...(volume.appliance === null ? {} : forTheSite(ground, volume)), status: 'deleting', fault: null }
  })
  if (!after) return
  if (after.appliance === null) await volumeStore.remove(countedTable(ground.table, after, undefined), after)
  ground.log.info({ volume: uuid, force }, 'volume to be deleted')
}

async function listed(
  call: Call,
  { table }: Ground,
  view: (call: Call, volume: Volume) => Record<string, unknown>,
  path: string,
): Promise<Response> {
  const { all_tenants, with_count: _count, ...filters } = asked(call).filters
  const query = { ...asked(call), filters }
  const everybodys = seesAll(call) && (all_tenants?.some((each) => each !== '0' && each !== 'False') ?? false)
  const project = call.var.caller.project?.id
  if (!everybodys && project === undefined) return call.json({ volumes: [] })
  const { values, next } = await pageOf(
    table,
    volumeStore,
    query,
    everybodys || project === undefined ? undefined : volumesFor(project),
    (volume) => isTheirs(call, volume) || seesAll(call),
    (volume) => matches({ ...volumeView(call, volume), project_id: volume.project_id }, filters),
  )
  const links = nextLink(call, path, next)
  return call.json({
    volumes: values.map((each) => view(call, each)),
    ...(links.length > 0 ? { volumes_links: links } : {}),
  })
}

function metadataRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/volumes/:volume/metadata`
  const changed = async (
    call: Call,
    decide: (before: Record<string, string>) => Record<string, string>,
  ): Promise<Record<string, string>> => {
    const { uuid } = await changeableVolume(call, ground, call.req.param('volume') ?? '', 'update')
    const after = await changeVolume(ground, uuid, (volume) => ({ metadata: metadata.parse(decide(volume.metadata)) }))
    return after?.metadata ?? {}
  }
  const body = async (call: Call): Promise<Record<string, string>> =>
    metadata.parse(((await readJson(call)) as { metadata?: unknown } | undefined)?.metadata)
  app.get(path, async (call) =>
    call.json({ metadata: (await volumeOf(call, ground, call.req.param('volume'))).metadata }),
  )
  app.post(path, async (call) => {
    const more = await body(call)
    return call.json({ metadata: await changed(call, (before) => ({ ...before, ...more })) })
  })
  app.put(path, async (call) => {
    const all = await body(call)
    return call.json({ metadata: await changed(call, () => all) })
  })
  app.delete(`${path}/:key`, async (call) => {
    const key = call.req.param('key')
    await changed(call, ({ [key]: gone, ...left }) => {
      if (gone === undefined) throw new UserError(404, `Volume has no metadata with key ${key.slice(0, 64)}.`)
      return left
    })
    return call.body(null, 200)
  })
}
