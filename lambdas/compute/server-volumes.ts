import type { Volume } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Server, ServerVolume } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { VolumeConnector, VolumeTarget } from '../../contract/volume.ts'
import type { Platform } from '../platform.ts'
import { all } from '../store/paging.ts'
import { connectorList, connectorStore, targetList, targetStore } from '../store/volumes.ts'
import { completeAttachment, connectAttachment, detachVolume, reserveVolume } from '../volume/attach.ts'
import { createVolume } from '../volume/create.ts'
import { volumeStore } from '../volume/store.ts'
import { deleteVolume } from '../volume/volumes.ts'

/** A server's volumes on their way to its node and back. Each step looks at what there is, and may be taken again after an interruption. */

/** Makes what is not there yet, and has the node be let in. True: all is at the site as the node needs it. */
export async function bringVolumes(platform: Platform, server: Server, node: Node): Promise<boolean> {
  const volumes = server.volumes ?? []
  if (volumes.length === 0) return true
  if (node.storage_interface !== 'cinder')
    throw new UserError(
      400,
      `Node ${node.name ?? node.uuid}: its storage interface is ${node.storage_interface}: set it to cinder.`,
    )
  const initiator = await initiatorOf(platform, node)
  let isThere = true
  for (const each of volumes) if (!(await bring(platform, server, node, each, initiator))) isThere = false
  return isThere
}

async function bring(
  platform: Platform,
  server: Server,
  node: Node,
  { volume: uuid, attachment, made, boot_index }: ServerVolume,
  initiator: string,
): Promise<boolean> {
  const which = { volume: uuid, attachment }
  const volume = await volumeStore.get(platform.table, uuid)
  if (!volume) {
    if (!made) throw new UserError(404, `Volume ${uuid} could not be found.`)
    await make(platform, server, node, uuid, made)
    return false
  }
  if (volume.status === 'creating' || volume.status === 'deleting') return false
  if (volume.status === 'error') throw new UserError(500, `Volume ${uuid}: ${volume.fault ?? 'it is in error'}`)
  if (volume.availability_zone !== null && volume.availability_zone !== node.conductor_group)
    throw new UserError(
      400,
      `Volume ${uuid} is at ${volume.availability_zone}, and the node is at ${node.conductor_group}.`,
    )
  const found = volume.attachments.find((each) => each.uuid === attachment)
  if (!found) {
    await reserveVolume(platform, which, server.uuid)
    return false
  }
  // What another node had of it first comes back.
  if (found.status === 'detaching') return false
  if (found.connector?.initiator !== initiator) {
    await connectAttachment(platform, which, { initiator, host: node.name ?? node.uuid, mountpoint: null })
    return false
  }
  if (!found.exported) {
    if (volume.fault !== null && volume.settled >= volume.generation)
      throw new UserError(500, `Volume ${uuid} could not be exported: ${volume.fault}`)
    return false
  }
  if (found.status !== 'attached') await completeAttachment(platform, which)
  await setTarget(platform, node, volume, attachment, boot_index)
  return true
}

async function make(
  platform: Platform,
  server: Server,
  node: Node,
  uuid: string,
  { size, image, snapshot, type }: NonNullable<ServerVolume['made']>,
): Promise<void> {
  const { project_id, user_id, name } = server
  const owner = { project_id, user_id, for_server: server.uuid, mayUse: (of: Volume) => of.project_id === project_id }
  const zone = { availability_zone: node.conductor_group }
  await createVolume(
    platform,
    owner,
    { size, imageRef: image, snapshot_id: snapshot, volume_type: type, name, ...zone },
    uuid,
  )
}

/** Who the node is to a target: as people said, or a name of our making. */
async function initiatorOf(platform: Platform, { uuid: node }: Node): Promise<string> {
  const { table, clock, ids } = platform
  const known = await all<VolumeConnector>(table, connectorList(node))
  const found = known.find(({ type }) => type === 'iqn')
  if (found) return found.connector_id
  const connector: VolumeConnector = {
    uuid: ids.uuid(),
    node_uuid: node,
    type: 'iqn',
    connector_id: `iqn.2010-10.org.openstack:node-${node}`,
    extra: {},
    created_at: clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
  await connectorStore.save(table, undefined, connector)
  return connector.connector_id
}

/** In the words that Cinder has on a node's target; the secret stays sealed. */
async function setTarget(
  { table, clock }: Platform,
  { uuid: node }: Node,
  volume: Volume,
  attachment: string,
  boot_index: number,
): Promise<void> {
  const found = volume.attachments.find(({ uuid }) => uuid === attachment)
  if (!found?.exported || !found.secret) return
  const before = (await all<VolumeTarget>(table, targetList(node))).find(({ uuid }) => uuid === attachment)
  const properties = {
    ...found.exported,
    auth_method: 'CHAP',
    auth_username: attachment,
    auth_password: found.secret,
    attachment_id: attachment,
  }
  if (before && JSON.stringify(before.properties) === JSON.stringify(properties)) return
  await targetStore.save(table, before, {
    uuid: attachment,
    node_uuid: node,
    volume_type: 'iscsi',
    volume_id: volume.uuid,
    boot_index,
    properties,
    extra: {},
    created_at: before?.created_at ?? clock.now().toISOString(),
    updated_at: before ? clock.now().toISOString() : null,
    version: (before?.version ?? 0) + 1,
  })
}

/** The node has nothing of them any more, and the site lets it in no longer. `forGood`: what was to end with the server does. */
export async function releaseVolumes(platform: Platform, server: Server, forGood: boolean): Promise<void> {
  for (const { volume: uuid, attachment, delete_on_termination, made } of server.volumes ?? []) {
    const target = await targetStore.get(platform.table, attachment)
    if (target) await targetStore.remove(platform.table, target)
    const volume = await volumeStore.get(platform.table, uuid)
    if (!volume) continue
    // Of one that failed in the making another try makes it anew.
    const isWaste = made !== null && volume.status === 'error'
    const ends = (forGood && delete_on_termination && isOurs(volume, attachment, server)) || isWaste
    // What is to be kept of it keeps it.
    if (ends && volume.snapshots.length === 0) await deleteVolume(platform, volume, { cascade: false, force: true })
    else await detachVolume(platform, { volume: uuid, attachment })
  }
}

/** Had by the server, or made for it and had by nobody else since. */
function isOurs({ attachments, for_server }: Volume, attachment: string, { uuid }: Server): boolean {
  if (attachments.some((each) => each.uuid === attachment)) return true
  return for_server === uuid && attachments.every(({ server }) => server === uuid)
}
