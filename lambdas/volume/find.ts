import type { Volume, VolumeAttachment, VolumeSnapshot, VolumeType } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Call, Ground } from '../openstack/context.ts'
import { isTheirs, mayChange, seesAll } from '../openstack/rights.ts'
import { typeStore, volumeOfAttachment, volumeOfSnapshot, volumeStore } from './store.ts'

/** What a request names, if the caller may see it. */

type Needs = Pick<Ground, 'table'>

export async function volumeOf(call: Call, { table }: Needs, uuid: string): Promise<Volume> {
  const volume = await volumeStore.get(table, uuid)
  if (!volume || !(isTheirs(call, volume) || seesAll(call)))
    throw new UserError(404, `Volume ${uuid.slice(0, 64)} could not be found.`)
  return volume
}

export async function changeableVolume(call: Call, ground: Needs, uuid: string, what: string): Promise<Volume> {
  const volume = await volumeOf(call, ground, uuid)
  requireOwn(call, volume, what)
  return volume
}

/** Who oversees all projects sees their volumes, and changes none. */
export function requireOwn(call: Call, volume: Volume, what: string): void {
  if (!mayChange(call, volume)) throw new UserError(403, `Policy doesn't allow volume:${what} to be performed.`)
}

export async function snapshotOf(
  call: Call,
  { table }: Needs,
  uuid: string,
): Promise<{ volume: Volume; snapshot: VolumeSnapshot }> {
  const volume = await volumeOfSnapshot(table, uuid)
  const snapshot = volume?.snapshots.find((each) => each.uuid === uuid)
  if (!volume || !snapshot || !(isTheirs(call, volume) || seesAll(call)))
    throw new UserError(404, `Snapshot ${uuid.slice(0, 64)} could not be found.`)
  return { volume, snapshot }
}

export async function attachmentOf(
  call: Call,
  { table }: Needs,
  uuid: string,
): Promise<{ volume: Volume; attachment: VolumeAttachment }> {
  const volume = await volumeOfAttachment(table, uuid)
  const attachment = volume?.attachments.find((each) => each.uuid === uuid)
  if (!volume || !attachment || !(isTheirs(call, volume) || seesAll(call)))
    throw new UserError(404, `Volume attachment could not be found with filter: attachment_id = ${uuid.slice(0, 64)}.`)
  return { volume, attachment }
}

export async function typeOf({ table }: Needs, ident: string): Promise<VolumeType> {
  const found = await typeStore.find(table, ident)
  if (!found) throw new UserError(404, `Volume type ${ident.slice(0, 64)} could not be found.`)
  return found
}
