import { roomOn, type WantedPartition } from '../disks/lay-out.ts'
import { biosBootType, espType, raidType } from '../disks/gpt.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { memberSize, refused, type Level, type WantedArray } from './wanted.ts'

/** Which partitions the disks get, and which of them make which array. Pure. */

export interface Holder {
  disk: Disk
  /** The first is for booting, the others are members of arrays. */
  partitions: WantedPartition[]
}

export interface PlannedArray {
  name: string
  level: Level
  members: { disk: Disk; number: number }[]
}

/** Firmware reads no array: each disk has a place of its own for a boot loader. A BIOS's is in a GPT too. */
const bootPartition = {
  uefi: { name: 'esp', type: espType, size: 200 * MiB },
  bios: { name: 'bios-boot', type: biosBootType, size: 8 * MiB },
} as const
export type Firmware = keyof typeof bootPartition

export function planArrays(
  wanted: readonly WantedArray[],
  firmware: Firmware,
): { holders: Holder[]; arrays: PlannedArray[] } {
  const boot = bootPartition[firmware]
  const disks = [...new Set(wanted.flatMap((array) => array.disks))]
  const fixed = (disk: Disk) =>
    wanted.reduce(
      (sum, array) => sum + (array.size !== 'MAX' && array.disks.includes(disk) ? sizeOf(array, array.size) : 0),
      0,
    )
  const left = new Map(disks.map((disk) => [disk, roomOn(disk) - boot.size - fixed(disk)]))
  for (const [disk, room] of left) if (room < 0) throw tooSmall(disk, -room)
  const sizes = wanted.map((array) => {
    if (array.size !== 'MAX') return sizeOf(array, array.size)
    const size = Math.min(...array.disks.map((disk) => left.get(disk) ?? 0))
    const [tightest] = array.disks.toSorted((a, b) => (left.get(a) ?? 0) - (left.get(b) ?? 0))
    if (size < leastMember && tightest) throw tooSmall(tightest, leastMember - size)
    return size
  })
  const holders = disks.map((disk): Holder => ({
    disk,
    partitions: [
      { ...boot },
      ...wanted.flatMap((array, index) =>
        array.disks.includes(disk) ? [{ name: `raid-${array.name}`, type: raidType, size: sizes[index] ?? 0 }] : [],
      ),
    ],
  }))
  const arrays = wanted.map((array): PlannedArray => ({
    name: array.name,
    level: array.level,
    members: array.disks.map((disk) => {
      const before = wanted.slice(0, wanted.indexOf(array)).filter((each) => each.disks.includes(disk))
      return { disk, number: before.length + 2 }
    }),
  }))
  return { holders, arrays }
}

const leastMember = 64 * MiB

function sizeOf({ level, disks }: WantedArray, size: number): number {
  return memberSize(level, disks.length, size)
}

function tooSmall({ name }: Disk, missing: number) {
  return refused(`${name} is too small for it by ${Math.ceil(missing / MiB)} MiB`)
}
