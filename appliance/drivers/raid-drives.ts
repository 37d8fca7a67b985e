import type { Controller, Drive, RaidType } from '@bloomery/redfish/storage.ts'
import type { LogicalDisk } from '../../contract/raid.ts'

/** Which drives become which volume. Pure: the same machine and the same wish give the same volumes. */

export interface WantedVolume {
  controller: string
  name: string
  raid: RaidType
  drives: string[]
  capacityBytes?: number
}

const types: Readonly<Record<string, { raid: RaidType; least: number }>> = {
  '0': { raid: 'RAID0', least: 1 },
  '1': { raid: 'RAID1', least: 2 },
  '5': { raid: 'RAID5', least: 3 },
  '6': { raid: 'RAID6', least: 4 },
  '1+0': { raid: 'RAID10', least: 4 },
  '5+0': { raid: 'RAID50', least: 6 },
  '6+0': { raid: 'RAID60', least: 8 },
}
const GIB = 1024 ** 3

/** Of the logical disks, those that aren't there under their name yet. */
export function missingVolumes(controllers: readonly Controller[], disks: readonly LogicalDisk[]): WantedVolume[] {
  const known = controllers.flatMap(({ volumes }) => volumes.map(({ name }) => name))
  const named = disks.map((disk, index) => ({ ...disk, volume_name: disk.volume_name ?? `bloomery-${index}` }))
  return chooseDrives(
    controllers,
    named.filter(({ volume_name: name }) => !known.includes(name)),
  )
}

/** Throws RangeError with what the machine lacks. */
export function chooseDrives(controllers: readonly Controller[], disks: readonly LogicalDisk[]): WantedVolume[] {
  const taken = new Set(controllers.flatMap(({ volumes }) => volumes.flatMap(({ drives }) => drives)))
  return disks.map((disk, index) => {
    const type = types[disk.raid_level]
    if (!type) throw new RangeError(`RAID level ${disk.raid_level} can't be made over Redfish`)
    if (disk.share_physical_disks)
      throw new RangeError("logical disks that share physical ones can't be made over Redfish")
    const count = disk.number_of_physical_disks ?? disk.physical_disks?.length ?? type.least
    if (count < type.least)
      throw new RangeError(`RAID level ${disk.raid_level} needs ${type.least} disks, not ${count}`)
    for (const { path, name, drives } of controllers) {
      if (disk.controller !== undefined && disk.controller !== name && disk.controller !== idOf(path)) continue
      const fitting = drives.filter((drive) => !taken.has(drive.path) && fits(drive, disk)).slice(0, count)
      if (fitting.length < count) continue
      for (const drive of fitting) taken.add(drive.path)
      return {
        controller: path,
        name: disk.volume_name ?? `bloomery-${index}`,
        raid: type.raid,
        drives: fitting.map((drive) => drive.path),
        ...(disk.size_gb === 'MAX' ? {} : { capacityBytes: disk.size_gb * GIB }),
      }
    }
    throw new RangeError(
      `logical disk ${index + 1} needs ${count} free drives of its kind at one controller: there are not so many`,
    )
  })
}

function fits(drive: Drive, { disk_type: media, interface_type: bus, physical_disks: named }: LogicalDisk): boolean {
  if (media !== undefined && drive.media?.toLowerCase() !== media) return false
  if (bus !== undefined && drive.protocol?.toLowerCase() !== bus) return false
  if (named === undefined) return true
  return named.some((name) => name === drive.name || name === idOf(drive.path) || name === drive.serial)
}

function idOf(path: string): string {
  return path.split('/').at(-1) ?? path
}

const levels = Object.fromEntries(Object.entries(types).map(([level, { raid }]) => [raid, level]))

/** What is there, as Ironic's raid_config says it. */
export function raidConfigOf(controllers: readonly Controller[]): Record<string, unknown> {
  const logical_disks = controllers.flatMap(({ name, path, volumes }) =>
    volumes.slice(0, 64).map((volume) => ({
      controller: name ?? idOf(path),
      volume_name: volume.name ?? null,
      raid_level: levels[volume.raid ?? ''] ?? volume.raid ?? null,
      size_gb: volume.capacityBytes === undefined ? null : Math.floor(volume.capacityBytes / GIB),
      physical_disks: volume.drives.map(idOf),
    })),
  )
  return { logical_disks }
}
