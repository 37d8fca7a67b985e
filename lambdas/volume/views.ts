import type { Volume, VolumeAttachment, VolumeSnapshot, VolumeType } from '../../contract/block-storage.ts'
import type { Call } from '../openstack/context.ts'
import { isAdmin } from '../openstack/rights.ts'
import { PATH } from './path.ts'

/** As Cinder shows them, in its names. */

/** Cinder says instants without their zone, which is UTC. */
const time = (at: string | null): string | null => (at === null ? null : at.replace(/(\.\d{3})?Z$/, '.000000'))

const links = (call: Call, kind: string, uuid: string) => [
  { rel: 'self', href: `${call.var.base}${PATH}/${kind}/${uuid}` },
  { rel: 'bookmark', href: `${call.var.base}/volume/${kind}/${uuid}` },
]

export function volumeBrief(call: Call, { uuid, name }: Volume) {
  return { id: uuid, name: name ?? '', links: links(call, 'volumes', uuid) }
}

export function volumeView(call: Call, volume: Volume) {
  const { minor } = call.var
  const shown = volume.attachments.filter(({ status }) => status === 'attached' || status === 'detaching')
  return {
    ...volumeBrief(call, volume),
    description: volume.description,
    status: volume.status,
    size: volume.size,
    availability_zone: volume.availability_zone ?? 'nova',
    created_at: time(volume.created_at),
    updated_at: time(volume.updated_at),
    attachments: shown.map((each) => attachedView(volume, each)),
    metadata: volume.metadata,
    bootable: String(volume.bootable),
    user_id: volume.user_id,
    snapshot_id: volume.source?.snapshot ?? null,
    source_volid: volume.source?.kind === 'volume' ? volume.source.volume : null,
    volume_type: volume.type?.name ?? null,
    encrypted: false,
    multiattach: false,
    replication_status: null,
    consistencygroup_id: null,
    migration_status: null,
    'os-vol-tenant-attr:tenant_id': volume.project_id,
    'bloomery:fault': volume.fault,
    ...(volume.image ? { volume_image_metadata: { image_id: volume.image.uuid, image_name: volume.image.name } } : {}),
    ...(isAdmin(call) ? { 'os-vol-host-attr:host': volume.appliance } : {}),
    ...(minor >= 13 ? { group_id: null } : {}),
    ...(minor >= 21 ? { provider_id: null } : {}),
    ...(minor >= 48 ? { service_uuid: volume.appliance, shared_targets: false } : {}),
  }
}

function attachedView({ uuid: volume }: Volume, { uuid, server, connector, attached_at }: VolumeAttachment) {
  return {
    id: volume,
    attachment_id: uuid,
    volume_id: volume,
    server_id: server,
    host_name: connector?.host ?? null,
    device: connector?.mountpoint ?? null,
    attached_at: time(attached_at),
  }
}

/** Without the secret, which is told once. */
export function attachmentView(volume: Volume, attachment: VolumeAttachment) {
  const { uuid, status, server, mode, attached_at, exported, connector } = attachment
  return {
    id: uuid,
    status,
    instance: server,
    volume_id: volume.uuid,
    attached_at: time(attached_at) ?? '',
    detached_at: '',
    attach_mode: mode,
    connection_info: exported && connector ? connectionData(volume, attachment) : {},
  }
}

/** What os-brick wants of an iSCSI volume. */
export function connectionData({ uuid: volume }: Volume, { uuid, exported, mode }: VolumeAttachment) {
  return {
    driver_volume_type: 'iscsi',
    volume_id: volume,
    attachment_id: uuid,
    target_discovered: false,
    target_portal: exported?.target_portal,
    target_iqn: exported?.target_iqn,
    target_lun: exported?.target_lun,
    auth_method: 'CHAP',
    auth_username: uuid,
    access_mode: mode,
    encrypted: false,
    qos_specs: null,
  }
}

export function snapshotView(call: Call, volume: Volume, snapshot: VolumeSnapshot, detailed = true) {
  const { uuid, name, description, metadata, size, status, created_at, updated_at } = snapshot
  return {
    id: uuid,
    name: name ?? '',
    description,
    volume_id: volume.uuid,
    status,
    size,
    metadata,
    created_at: time(created_at),
    updated_at: time(updated_at),
    ...(detailed
      ? {
          'os-extended-snapshot-attributes:project_id': volume.project_id,
          'os-extended-snapshot-attributes:progress': status === 'available' ? '100%' : '0%',
        }
      : {}),
    ...(call.var.minor >= 41 ? { user_id: volume.user_id } : {}),
  }
}

export function typeView(call: Call, { uuid, name, description, is_public, extra_specs }: VolumeType) {
  return {
    id: uuid,
    name,
    description,
    is_public,
    'os-volume-type-access:is_public': is_public,
    qos_specs_id: null,
    // Which driver and which site have it is the administrators' matter.
    extra_specs: isAdmin(call) ? extra_specs : {},
  }
}
