import { MOST_SNAPSHOTS, type Volume, type VolumeSnapshot } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches } from '../openstack/listing.ts'
import { seesAll } from '../openstack/rights.ts'
import { all } from '../store/paging.ts'
import { changeVolume, forTheSite } from './change-volume.ts'
import { changeableVolume, requireOwn, snapshotOf } from './find.ts'
import { metadata, snapshotCreation, snapshotUpdate } from './input.ts'
import { PATH } from './path.ts'
import { volumesFor } from './store.ts'
import { deleteSnapshot } from './snapshot-actions.ts'
import { snapshotView } from './views.ts'

export function snapshotRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/snapshots`
  const one = `${path}/:snapshot`
  app.get(path, (call) => listed(call, ground, false))
  app.get(`${path}/detail`, (call) => listed(call, ground, true))
  app.post(path, async (call) => {
    const given = snapshotCreation.parse(await readJson(call)).snapshot
    const { uuid: of } = await changeableVolume(call, ground, given.volume_id, 'create_snapshot')
    const uuid = ground.ids.uuid()
    const after = await changeVolume(ground, of, (volume) => ({
      ...forTheSite(ground, volume),
      fault: null,
      snapshots: [...volume.snapshots, newSnapshot(volume, uuid)],
    }))
    const made = after?.snapshots.find((each) => each.uuid === uuid)
    if (!after || !made) throw new UserError(404, `Volume ${of} could not be found.`)
    ground.log.info({ volume: of, snapshot: uuid }, 'snapshot asked for')
    return call.json({ snapshot: snapshotView(call, after, made, false) }, 202)

    function newSnapshot({ size, status, snapshots }: Volume, id: string): VolumeSnapshot {
      if (status !== 'available')
        throw new UserError(
          400,
          `Invalid volume: Volume ${of} status must be available, but is ${status}: what a machine writes meanwhile would be in it by halves.`,
        )
      if (snapshots.length >= MOST_SNAPSHOTS)
        throw new UserError(413, `Volume ${of} has ${MOST_SNAPSHOTS} snapshots, which is as many as it may have.`)
      return {
        uuid: id,
        name: given.name ?? null,
        description: given.description ?? null,
        metadata: given.metadata ?? {},
        size,
        status: 'creating',
        created_at: ground.clock.now().toISOString(),
        updated_at: null,
      }
    }
  })
  app.get(one, async (call) => {
    const { volume, snapshot } = await snapshotOf(call, ground, call.req.param('snapshot'))
    return call.json({ snapshot: snapshotView(call, volume, snapshot) })
  })
  app.put(one, async (call) => {
    const { name, description } = snapshotUpdate.parse(await readJson(call)).snapshot
    return change(call, () => ({
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    }))
  })
  app.get(`${one}/metadata`, async (call) => {
    const { snapshot } = await snapshotOf(call, ground, call.req.param('snapshot'))
    return call.json({ metadata: snapshot.metadata })
  })
  for (const method of ['post', 'put'] as const)
    app[method](`${one}/metadata`, async (call) => {
      const said = metadata.parse(((await readJson(call)) as { metadata?: unknown } | undefined)?.metadata)
      const { snapshot } = await changed(call, (before) => ({
        metadata: method === 'put' ? said : { ...before.metadata, ...said },
      }))
      return call.json({ metadata: snapshot.metadata })
    })
  app.delete(`${one}/metadata/:key`, async (call) => {
    const key = call.req.param('key')
    await changed(call, ({ metadata: { [key]: _gone, ...left } }) => ({ metadata: left }))
    return call.body(null, 200)
  })
  app.delete(one, async (call) => {
    const { volume: of, snapshot } = await changeable(call)
    await deleteSnapshot(ground, of, snapshot, false)
    return call.body(null, 202)
  })

  async function changeable(call: Call) {
    const found = await snapshotOf(call, ground, call.req.param('snapshot') ?? '')
    requireOwn(call, found.volume, 'update_snapshot')
    return found
  }

  async function changed(call: Call, decide: (before: VolumeSnapshot) => Partial<VolumeSnapshot>) {
    const { volume: of, snapshot } = await changeable(call)
    const after = await changeVolume(ground, of.uuid, ({ snapshots }) => ({
      snapshots: snapshots.map((each) => (each.uuid === snapshot.uuid ? { ...each, ...decide(each) } : each)),
    }))
    const now = after?.snapshots.find(({ uuid }) => uuid === snapshot.uuid)
    if (!after || !now) throw new UserError(404, `Snapshot ${snapshot.uuid} could not be found.`)
    return { volume: after, snapshot: now }
  }

  async function change(call: Call, decide: (before: VolumeSnapshot) => Partial<VolumeSnapshot>): Promise<Response> {
    const { volume, snapshot } = await changed(call, decide)
    return call.json({ snapshot: snapshotView(call, volume, snapshot, false) })
  }
}

async function listed(call: Call, { table }: Ground, detailed: boolean): Promise<Response> {
  const { limit, marker, filters } = asked(call)
  const { all_tenants, ...wanted } = filters
  const everybodys = seesAll(call) && (all_tenants?.some((each) => each !== '0' && each !== 'False') ?? false)
  const project = call.var.caller.project?.id
  const volumes = everybodys
    ? await all<Volume>(table, { index: 'all', pk: 'volumes' })
    : project === undefined
      ? []
      : await all<Volume>(table, volumesFor(project))
  const views = volumes
    .flatMap((volume) => volume.snapshots.map((each) => snapshotView(call, volume, each, detailed)))
    .filter((view) => matches(view, wanted))
  const from = marker === undefined ? 0 : views.findIndex(({ id }) => id === marker) + 1
  if (marker !== undefined && from === 0)
    throw new UserError(400, `The marker ${marker.slice(0, 64)} is no longer there.`)
  return call.json({ snapshots: views.slice(from, from + limit) })
}
