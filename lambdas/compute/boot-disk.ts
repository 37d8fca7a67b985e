import type { Server, ServerVolume } from '../../contract/compute.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Call, Ground } from '../openstack/context.ts'
import { snapshotOf, volumeOf } from '../volume/find.ts'
import type { ServerCreation, VolumeDisk } from './server-input.ts'

/** The volume that a request has its servers boot from, with the site that this makes theirs. */
export interface BootDisk {
  site: string | null
  /** For each server one of its own. */
  volume(): ServerVolume
}

const BOOTS_BY_ISCSI = { 'capabilities:iscsi_boot': 'true' }

/** Undefined: they boot from disks of their own. */
export async function bootDiskFor(
  call: Call,
  ground: Ground,
  given: ServerCreation,
  count: number,
): Promise<BootDisk | undefined> {
  const disk = given.block_device_mapping_v2?.find((each): each is VolumeDisk => each.destination_type === 'volume')
  if (!disk) return undefined
  const { source_type: kind, uuid, delete_on_termination, volume_size, volume_type: type } = disk
  const base = { boot_index: 0, delete_on_termination }
  const fresh = (made: ServerVolume['made']) => (): ServerVolume => ({
    ...base,
    volume: ground.ids.uuid(),
    attachment: ground.ids.uuid(),
    made,
  })
  if (kind === 'image') {
    if (!volume_size)
      throw new UserError(400, 'Block Device Mapping is Invalid: a volume of an image needs a volume_size.')
    return { site: null, volume: fresh({ size: volume_size, image: uuid, snapshot: null, type: type ?? null }) }
  }
  if (kind === 'snapshot') {
    const { volume } = await snapshotOf(call, ground, uuid)
    const made = { size: volume_size ?? null, image: null, snapshot: uuid, type: type ?? null }
    return { site: volume.availability_zone, volume: fresh(made) }
  }
  const volume = await volumeOf(call, ground, uuid)
  if (count > 1)
    throw new UserError(400, 'Block Device Mapping is Invalid: it is one volume, and the servers are several.')
  if (volume.status !== 'available')
    throw new UserError(
      400,
      `Block Device Mapping is Invalid: Volume ${uuid} must be available, but is ${volume.status}.`,
    )
  if (!volume.bootable) throw new UserError(400, `Block Device ${uuid} is not bootable.`)
  const site = volume.availability_zone
  return { site, volume: () => ({ ...base, volume: uuid, attachment: ground.ids.uuid(), made: null }) }
}

/** Only some machines can boot so, and where the volume is. */
export function withBootDisk(server: Server, disk: BootDisk | undefined): Server {
  if (!disk) return server
  const { flavor, availability_zone: zone } = server
  if (zone !== null && disk.site !== null && zone !== disk.site)
    throw new UserError(400, `The volume is at ${disk.site}, and availability zone ${zone} is asked for.`)
  return {
    ...server,
    volumes: [disk.volume()],
    availability_zone: zone ?? disk.site,
    flavor: { ...flavor, extra_specs: { ...flavor.extra_specs, ...BOOTS_BY_ISCSI } },
  }
}
