import { mayUseType, type Volume } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Image } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { findImage } from '../store/images.ts'
import { getSite } from '../store/sites.ts'
import { forTheSite } from './change-volume.ts'
import { countedTable } from './counted.ts'
import type { VolumeCreation } from './input.ts'
import { typeStore, volumeOfSnapshot, volumeStore } from './store.ts'

type Needs = Pick<Platform, 'table' | 'clock' | 'ids' | 'log'>

const GIB = 2 ** 30

export interface Owner {
  project_id: string
  user_id: string
  /** That waits for it. */
  for_server?: string
  /** Also such as are not public. */
  seesTypes?: boolean
  /** Whether they may use what this volume is made of. */
  mayUse(volume: Volume): boolean
}

/** Checked against what there is, and written; its change brings it to a site. `uuid`: one that is there is taken as made. */
export async function createVolume(
  needs: Needs,
  owner: Owner,
  given: Partial<VolumeCreation>,
  uuid: string = needs.ids.uuid(),
): Promise<Volume> {
  const { table, clock, log } = needs
  const known = await volumeStore.get(table, uuid)
  if (known) return known
  const image = await imageOf(needs, given.imageRef ?? given.image_id)
  const made = await madeOf(needs, owner, given)
  const least = Math.max(made?.size ?? 0, Math.ceil((image?.size ?? 0) / GIB))
  const size = given.size ?? made?.size
  if (size === undefined || size === null)
    throw new UserError(400, 'Invalid input received: a volume needs a size in GiB.')
  if (size < least)
    throw new UserError(
      400,
      `Invalid input received: Volume size ${size}GB cannot be smaller than ${least}GB, which is what it is made of.`,
    )
  const type = given.volume_type ? await typeStore.find(table, given.volume_type) : undefined
  const isTheirs = type !== undefined && (mayUseType(type, owner.project_id) || owner.seesTypes === true)
  if (given.volume_type && !isTheirs)
    throw new UserError(404, `Volume type with name ${given.volume_type} could not be found.`)
  const zone = made?.from.availability_zone ?? (await zoneOf(needs, given.availability_zone, type?.extra_specs ?? {}))
  const base: Volume = {
    uuid,
    name: given.name ?? null,
    description: given.description ?? null,
    project_id: owner.project_id,
    user_id: owner.user_id,
    size,
    former_size: null,
    metadata: given.metadata ?? {},
    bootable: image !== undefined || (made?.from.bootable ?? false),
    image: image ? { uuid: image.uuid, name: image.name } : (made?.from.image ?? null),
    source: made?.source ?? null,
    type: type ? { uuid: type.uuid, name: type.name } : null,
    status: 'creating',
    fault: null,
    availability_zone: zone,
    for_server: owner.for_server ?? null,
    // Copies are made where the original is.
    appliance: made?.from.appliance ?? null,
    snapshots: [],
    attachments: [],
    generation: 0,
    ordered: 0,
    settled: 0,
    deadline: null,
    created_at: clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
  const volume: Volume = { ...base, ...forTheSite(needs, base) }
  await volumeStore.save(countedTable(table, undefined, volume), undefined, volume)
  log.info({ volume: uuid, size, project: owner.project_id, site: zone }, 'volume asked for')
  return volume
}

async function imageOf({ table }: Needs, reference: string | null | undefined): Promise<Image | undefined> {
  if (!reference) return undefined
  const image = await findImage(table, reference.slice(reference.lastIndexOf('/') + 1))
  if (!image)
    throw new UserError(400, `Invalid image identifier or unable to access requested image: ${reference.slice(0, 64)}.`)
  if (image.state !== 'active') throw new UserError(400, `Image ${image.uuid} is not active.`)
  return image
}

interface Made {
  from: Volume
  size: number
  source: NonNullable<Volume['source']>
}

async function madeOf({ table }: Needs, { mayUse }: Owner, given: Partial<VolumeCreation>): Promise<Made | undefined> {
  const { snapshot_id: snapshot, source_volid: volume, imageRef, image_id } = given
  if ([snapshot, volume, imageRef ?? image_id].filter((each) => each !== undefined && each !== null).length > 1)
    throw new UserError(
      400,
      'Invalid input received: a volume is made of an image, a snapshot or a volume, and not of several.',
    )
  if (snapshot) {
    const from = await volumeOfSnapshot(table, snapshot)
    const found = from?.snapshots.find(({ uuid }) => uuid === snapshot)
    if (!from || !found || !mayUse(from)) throw new UserError(404, `Snapshot ${snapshot} could not be found.`)
    if (found.status !== 'available')
      throw new UserError(
        400,
        `Invalid snapshot: originating snapshot status must be available, but is ${found.status}.`,
      )
    return { from, size: found.size, source: { kind: 'snapshot', volume: from.uuid, snapshot } }
  }
  if (!volume) return undefined
  const from = await volumeStore.get(table, volume)
  if (!from || !mayUse(from)) throw new UserError(404, `Volume ${volume} could not be found.`)
  // One that is written to meanwhile would be copied in no state that it ever had.
  if (from.status !== 'available')
    throw new UserError(400, `Invalid volume: source volume status must be available, but is ${from.status}.`)
  return { from, size: from.size, source: { kind: 'volume', volume: from.uuid } }
}

/** A type may say on which site its volumes are, in the name that Cinder has for a driver. */
async function zoneOf(
  { table }: Needs,
  zone: string | null | undefined,
  { volume_backend_name: backend }: Record<string, string>,
): Promise<string | null> {
  const asked = zone && zone !== 'nova' ? zone : null
  for (const name of [asked, backend]) {
    if (name && !(await getSite(table, name)))
      throw new UserError(400, `Invalid input received: Availability zone '${name}' is invalid: there is no such site.`)
  }
  if (asked && backend && asked !== backend)
    throw new UserError(
      400,
      `Invalid input received: the volume type is of site ${backend}, and ${asked} is asked for.`,
    )
  return asked ?? backend ?? null
}
