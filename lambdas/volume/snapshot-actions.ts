import type { Volume, VolumeSnapshot } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { changeVolume, forTheSite } from './change-volume.ts'
import { snapshotOf } from './find.ts'
import { snapshotActions } from './input.ts'
import { PATH } from './path.ts'

/** POST /snapshots/{id}/action, of administrators. */
export function snapshotActionRoutes(app: Service, ground: Ground): void {
  app.post(`${PATH}/snapshots/:snapshot/action`, async (call: Call) => {
    const body = (await readJson(call)) as Record<string, unknown> | undefined
    const name = Object.keys(body ?? {})[0] ?? ''
    if (name !== 'os-reset_status' && name !== 'os-force_delete')
      throw new UserError(400, `There is no action ${name.slice(0, 64)}. There is: os-reset_status, os-force_delete.`)
    requireAdmin(call, `volume_extension:snapshot_admin_actions:${name.slice(3)}`)
    const { volume, snapshot } = await snapshotOf(call, ground, call.req.param('snapshot') ?? '')
    if (name === 'os-force_delete') await deleteSnapshot(ground, volume, snapshot, true)
    else {
      const { status } = snapshotActions['os-reset_status'].parse(body?.[name])
      await changeVolume(ground, volume.uuid, (now) => ({
        snapshots: now.snapshots.map((each) => (each.uuid === snapshot.uuid ? { ...each, status } : each)),
      }))
    }
    return call.body(null, 202)
  })
}

export async function deleteSnapshot(
  ground: Ground,
  { uuid: of }: Volume,
  { uuid }: VolumeSnapshot,
  force: boolean,
): Promise<void> {
  await changeVolume(ground, of, (volume) => {
    const now = volume.snapshots.find((each) => each.uuid === uuid)
    if (!now || (now.status === 'deleting' && !force)) return undefined
    if (now.status === 'creating' && !force)
      throw new UserError(400, 'Invalid snapshot: Snapshot status must be available or error, but is creating.')
    return {
      ...forTheSite(ground, volume),
      snapshots: volume.snapshots.map((each) => (each === now ? { ...each, status: 'deleting' as const } : each)),
    }
  })
  ground.log.info({ volume: of, snapshot: uuid, force }, 'snapshot to be deleted')
}
