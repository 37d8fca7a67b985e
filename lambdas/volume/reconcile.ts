import type { Volume } from '../../contract/block-storage.ts'
import type { Report } from '../../contract/messages.ts'
import type { Appliance } from '../../contract/resources.ts'
import { stored } from '../conductor/image-source.ts'
import { type Change, ConflictError, type Platform } from '../platform.ts'
import { allAppliances, isAlive } from '../store/appliances.ts'
import { enqueueAll } from '../store/commands.ts'
import { findImage } from '../store/images.ts'
import { changed, changeVolume } from './change-volume.ts'
import { countedTable } from './counted.ts'
import { answered, wantedOf } from './order.ts'
import { promisedAt, volumeStore } from './store.ts'

/** A volume's way to its site: what it shall be is in the table first; its change brings it here, where the command is stored in the same
 * transaction that says so. Every step may be taken twice. */

const ATTEMPTS = 30
const ACCEPT_SECONDS = 24 * 3600

export async function volumesChanged(platform: Platform, changes: readonly Change[]): Promise<void> {
  const concerned = new Set(
    changes.flatMap(({ key, after }) => {
      const volume = key.sk === 'volume' ? (after?.value as Volume | undefined) : undefined
      return volume && volume.ordered < volume.generation ? [volume.uuid] : []
    }),
  )
  for (const uuid of concerned) await orderVolume(platform, uuid)
}

export async function orderVolume(platform: Platform, uuid: string): Promise<void> {
  const { table } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const volume = await volumeStore.get(table, uuid)
    if (!volume || volume.ordered >= volume.generation) return
    const place = await placeOf(platform, volume)
    if (place === undefined) {
      const why = noRoom(volume)
      platform.log.warn({ volume: uuid, why }, 'volume has no place')
      await changeVolume(platform, uuid, (now) => (now.version === volume.version ? nowhere(now, why) : undefined))
      return
    }
    const { appliance, availability_zone } = place
    const ordered = changed(platform, volume, { appliance, availability_zone, ordered: volume.generation })
    const command = await commandFor(platform, ordered)
    try {
      const writes = await enqueueAll(table, appliance, [command])
      await table.write([...volumeStore.writes(volume, ordered), ...writes])
      platform.log.info(
        { volume: uuid, appliance, generation: volume.generation, status: volume.status },
        'volume ordered',
      )
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new Error(`volume ${uuid}: its command could not be stored`)
}

async function commandFor({ table, ids, clock }: Platform, volume: Volume) {
  const now = clock.now()
  // A copy knows the image that its original was made of.
  const isOfImage = volume.image !== null && volume.source === null && volume.status === 'creating'
  const found = isOfImage ? await findImage(table, volume.image?.uuid ?? '') : undefined
  return {
    id: ids.uuid(),
    node: volume.uuid,
    generation: volume.generation,
    issued_at: now.toISOString(),
    deadline: new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString(),
    kind: 'volume' as const,
    wanted: wantedOf(volume, found ? stored(found) : null),
  }
}

type Place = Pick<Volume, 'availability_zone'> & { appliance: string }

/** Where it is; else the appliance with the most room that is left, of those that are alive. */
async function placeOf(platform: Platform, volume: Volume): Promise<Place | undefined> {
  const { table, clock } = platform
  const { appliance, availability_zone: site, size } = volume
  if (appliance !== null) return { appliance, availability_zone: site }
  const able = (await allAppliances(table)).filter(
    (each) => each.volumes !== undefined && isAlive(each, clock.now()) && (site === null || each.site === site),
  )
  const rooms = await Promise.all(
    able.map(async (each) => ({ each, left: (each.volumes?.gib ?? 0) - (await promisedAt(table, each.uuid)) })),
  )
  const [best] = rooms.filter(({ left }) => left >= size).sort((a, b) => b.left - a.left)
  return best && { appliance: best.each.uuid, availability_zone: best.each.site }
}

const noRoom = ({ availability_zone: site, size }: Volume): string =>
  `no appliance ${site === null ? '' : `of site ${site} `}that is there has room for ${size} GiB: give one more in its configuration (volumes.gib)`

/** It was never anywhere, so that a deletion is over, too. */
function nowhere(volume: Volume, fault: string): Partial<Volume> {
  return { ...volume, status: 'error', fault, ordered: volume.generation, settled: volume.generation, deadline: null }
}

/** What a site says of a volume, if it is on that disk and of what it was told last. */
export async function addVolumeReport(
  platform: Platform,
  appliance: Appliance,
  { node: uuid, generation, phase, note, exports }: Extract<Report, { kind: 'volume' }>,
): Promise<void> {
  const { table, clock, log } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const volume = await volumeStore.get(table, uuid)
    if (!volume || volume.appliance !== appliance.uuid || volume.generation !== generation) return
    if (volume.settled >= generation) return
    const next = answered(volume, { phase, note, exports }, clock.now())
    log[phase === 'done' ? 'info' : 'warn']({ volume: uuid, site: appliance.site, generation, note }, `volume ${phase}`)
    if (next === 'gone') {
      try {
        return await countedTable(table, volume, undefined).write(volumeStore.writes(volume, undefined))
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        continue
      }
    }
    const after = changed(platform, volume, next)
    if (await volumeStore.save(countedTable(table, volume, after), volume, after)) return
  }
  throw new Error(`volume ${uuid}: what its site said could not be written`)
}
