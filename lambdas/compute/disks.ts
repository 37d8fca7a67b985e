import type { Server, ServerVolume } from '../../contract/compute.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Call, Ground } from '../openstack/context.ts'
import { bootable as bootableImage } from '../image-service/sight.ts'
import { snapshotOf, volumeOf } from '../volume/find.ts'
import type { ServerCreation, VolumeDisk } from './server-input.ts'

/** The volumes that a request has its servers have, with the sites that this makes theirs. */
export interface Disks {
  sites: string[]
  /** From the first. */
  boots: boolean
  /** For each server of its own. */
  volumes(): ServerVolume[]
}

/** Which machines can have volumes; one beside a disk of their own, or several (lambdas/conductor/boot-volume.ts says why). */
const TAKES_VOLUMES = { 'capabilities:iscsi_boot': 'true' }
const BESIDE_ITS_DISK = { 'capabilities:boot_mode': 'bios' }
const SEVERAL = { 'capabilities:boot_mode': 'uefi' }

export async function disksFor(call: Call, ground: Ground, given: ServerCreation, count: number): Promise<Disks> {
  const mapping = given.block_device_mapping_v2 ?? []
  const asked = mapping.filter((each): each is VolumeDisk => each.destination_type === 'volume')
  // What is on the local disk has index 0 where it is said at all; one volume and no image is what is booted from.
  const hasImage = mapping.length > asked.length || given.imageRef !== undefined
  const isBooted = ({ boot_index: index }: VolumeDisk): boolean =>
    index === 0 || (!hasImage && asked.length === 1 && index !== -1)
  const booted = asked.filter(isBooted)
  if (booted.length > 1)
    throw new UserError(400, 'Block Device Mapping is Invalid: Boot sequence for the instance is invalid.')
  const data = asked.filter((each) => !isBooted(each))
  const sources = await Promise.all([...booted, ...data].map((each) => sourceOf(call, ground, each, count)))
  booted.forEach((each) => requireBootable(each, sources[0]))
  if (booted.length === 0 && data.length > 1)
    throw new UserError(
      400,
      'Block Device Mapping is Invalid: a server on a disk of its own has one volume at most; one that boots from a volume has more.',
    )
  const first = booted.length > 0 ? 0 : 1
  return {
    sites: [...new Set(sources.flatMap(({ site }) => site ?? []))],
    boots: booted.length > 0,
    volumes: () => sources.map(({ volume }, index) => ({ ...volume(), boot_index: first + index })),
  }
}

interface Source {
  site: string | null
  bootable: boolean
  volume(): Omit<ServerVolume, 'boot_index'>
}

async function sourceOf(call: Call, ground: Ground, disk: VolumeDisk, count: number): Promise<Source> {
  const { source_type: kind, uuid, delete_on_termination, volume_size: size, volume_type: type } = disk
  const fresh = (image: string | null, snapshot: string | null) => (): Omit<ServerVolume, 'boot_index'> => ({
    delete_on_termination,
    volume: ground.ids.uuid(),
    attachment: ground.ids.uuid(),
    made: { size: size ?? null, image, snapshot, type: type ?? null },
  })
  if (kind === 'image' || kind === 'blank') {
    if (!size)
      throw new UserError(400, `Block Device Mapping is Invalid: a volume of source ${kind} needs a volume_size.`)
    // Later nobody knows any more who asked for it.
    const image = uuid ? (await bootableImage(call, ground, uuid)).record.uuid : null
    return { site: null, bootable: kind === 'image', volume: fresh(image, null) }
  }
  if (kind === 'snapshot') {
    const { volume } = await snapshotOf(call, ground, uuid)
    return { site: volume.availability_zone, bootable: volume.bootable, volume: fresh(null, uuid) }
  }
  const volume = await volumeOf(call, ground, uuid)
  if (count > 1)
    throw new UserError(400, 'Block Device Mapping is Invalid: it is one volume, and the servers are several.')
  if (volume.status !== 'available')
    throw new UserError(
      400,
      `Block Device Mapping is Invalid: Volume ${uuid} must be available, but is ${volume.status}.`,
    )
  const { availability_zone: site, bootable } = volume
  return {
    site,
    bootable,
    volume: () => ({ delete_on_termination, volume: uuid, attachment: ground.ids.uuid(), made: null }),
  }
}

function requireBootable({ uuid }: VolumeDisk, source: Source | undefined): void {
  if (source?.bootable !== true) throw new UserError(400, `Block Device ${uuid ?? 'blank'} is not bootable.`)
}

/** Only some machines can have them, and where they are. */
export function withDisks(server: Server, { sites, boots, volumes }: Disks): Server {
  const own = volumes()
  if (own.length === 0) return server
  const { flavor, availability_zone: zone } = server
  const [site = null, other] = sites
  if (other !== undefined) throw new UserError(400, `The volumes are at different sites: ${sites.join(', ')}.`)
  if (zone !== null && site !== null && zone !== site)
    throw new UserError(400, `The volume is at ${site}, and availability zone ${zone} is asked for.`)
  const wanted = { ...TAKES_VOLUMES, ...(boots ? (own.length > 1 ? SEVERAL : {}) : BESIDE_ITS_DISK) }
  return {
    ...server,
    volumes: own,
    availability_zone: zone ?? site,
    flavor: { ...flavor, extra_specs: { ...flavor.extra_specs, ...wanted } },
  }
}
