import { raidConfig, type LogicalDisk } from '../../contract/raid.ts'
import { CommandFailure } from '../failure.ts'
import { GiB, MiB, type Disk } from '../disks/disk.ts'
import { readHints } from '../disks/hints.ts'

/** What a RAID configuration asks of the kernel's RAID, by Ironic's rules. Pure. */

export interface WantedArray {
  name: string
  level: Level
  /** Bytes that it shall hold; MAX: all that is left on its disks. */
  size: number | 'MAX'
  disks: Disk[]
}

/** The fewest disks, and how many of n disks hold data. */
const levels = {
  '0': { least: 2, data: (disks: number) => disks },
  '1': { least: 2, data: () => 1 },
  '5': { least: 3, data: (disks: number) => disks - 1 },
  '6': { least: 4, data: (disks: number) => disks - 2 },
  '1+0': { least: 4, data: (disks: number) => disks / 2 },
} as const
export type Level = keyof typeof levels

/** Arrays are described by these; the system that boots needs to be found by firmware, which reads one disk only. */
const most = 2

export function wantedArrays(given: unknown, disks: readonly Disk[]): WantedArray[] {
  const parsed = raidConfig.safeParse(given ?? {})
  if (!parsed.success) throw refused(parsed.error.issues[0]?.message ?? 'it is not a RAID configuration')
  const logical = 'logical_disks' in parsed.data ? parsed.data.logical_disks : []
  if (logical.length === 0 || logical.length > most)
    throw refused(`software RAID is one or two logical disks, not ${logical.length}`)
  if (logical[0]?.raid_level !== '1')
    throw refused('the first logical disk must be of level 1, for firmware to boot it')
  if (logical.filter(({ size_gb }) => size_gb === 'MAX').length > 1) throw refused('only one logical disk can be MAX')
  const arrays = logical.map((each, index) => wantedArray(each, index, disks))
  const [first, second] = arrays
  if (first?.name === second?.name) throw refused(`two logical disks are named ${first?.name}`)
  return arrays
}

/** Without a name of its own it has a number, which makes its device /dev/md0 wherever it is assembled. */
export function arrayName({ volume_name: name }: Pick<LogicalDisk, 'volume_name'>, index: number): string {
  return name ?? String(index)
}

function wantedArray(logical: LogicalDisk, index: number, disks: readonly Disk[]): WantedArray {
  const name = arrayName(logical, index)
  // A superblock has room for 32 bytes, five of which say for which host it is.
  if (!/^[A-Za-z0-9][\w.-]{0,26}$/.test(name))
    throw refused(`volume_name ${JSON.stringify(name)} can't be one of an array`)
  if (logical.volume_name !== undefined && /^\d+$/.test(name)) throw refused(`volume_name ${name} is only a number`)
  if (logical.controller !== 'software') throw refused(`logical disk ${name} must have the controller "software"`)
  if (logical.interface_type !== undefined) throw refused('interface_type is not known here: use physical_disks')
  if (!Object.hasOwn(levels, logical.raid_level))
    throw refused(`level ${logical.raid_level} is not one of the kernel's`)
  const level = logical.raid_level as Level
  const chosen = disksOf(logical, disks)
  const { least } = levels[level]
  if (chosen.length < least || (level === '1+0' && chosen.length % 2 !== 0))
    throw refused(
      `level ${level} needs ${least} disks or more${level === '1+0' ? ', an even number' : ''}, and there are ` +
        `${chosen.length}: ${chosen.map((disk) => disk.name).join(', ') || 'none'}`,
    )
  return { name, level, size: logical.size_gb === 'MAX' ? 'MAX' : logical.size_gb * GiB, disks: chosen }
}

/** Each element of physical_disks stands for one disk, the first that matches and no other element has. */
function disksOf(logical: LogicalDisk, disks: readonly Disk[]): Disk[] {
  const { physical_disks: named, number_of_physical_disks: count, disk_type: type } = logical
  const fitting = disks.filter(({ rotational }) => type === undefined || rotational === (type === 'hdd'))
  if (named === undefined) return count === undefined ? fitting : fitting.slice(0, count)
  const left = [...fitting]
  const chosen = named.map((each) => {
    const tests = readHints(typeof each === 'string' ? { name: each } : each)
    const at = left.findIndex((disk) => tests.every((test) => test(disk)))
    const [disk] = at < 0 ? [] : left.splice(at, 1)
    if (!disk) throw refused(`no disk that is left matches physical_disks ${JSON.stringify(each)}`)
    return disk
  })
  if (count !== undefined && count !== chosen.length)
    throw refused(`number_of_physical_disks is ${count}, and physical_disks names ${chosen.length}`)
  return chosen
}

/** Between a member's start and its data: superblock and bitmap. The same for all, so that sizes can be told beforehand. */
export const dataOffset = 4 * MiB

/** Bytes that each member takes so that the array holds this many. */
export function memberSize(level: Level, disks: number, size: number): number {
  return Math.ceil(size / levels[level].data(disks) / MiB) * MiB + dataOffset + MiB
}

export function refused(why: string): CommandFailure {
  return new CommandFailure('SoftwareRAIDError', `this software RAID can't be made: ${why}`)
}
