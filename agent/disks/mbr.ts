import { CommandFailure } from '../failure.ts'

/** The master boot record's table: four entries of sixteen bytes at 446, UEFI 2.10 §5.2.1. */
export interface MbrPartition {
  number: number
  type: number
  first: number
  sectors: number
}

const tableAt = 446
const entryLength = 16
const protectiveType = 0xee
const linuxType = 0x83
const most = 0xffff_ffff

/** The partitions of a master boot record; undefined where the sector is none. A boot sector of a bare file system
 * ends in the same two bytes, but its "entries" make no sense. */
export function parseMbr(bytes: Buffer): MbrPartition[] | undefined {
  if (bytes.readUInt16LE(510) !== 0xaa55) return undefined
  const entries = [0, 1, 2, 3].map((index) =>
    bytes.subarray(tableAt + index * entryLength, tableAt + (index + 1) * entryLength),
  )
  if (entries.some((entry) => entry[0] !== 0 && entry[0] !== 0x80)) return undefined
  const partitions = entries
    .map((entry, index) => ({
      number: index + 1,
      type: entry.readUInt8(4),
      first: entry.readUInt32LE(8),
      sectors: entry.readUInt32LE(12),
    }))
    .filter(({ type }) => type !== 0)
  if (partitions.some(({ first, sectors }) => first === 0 || sectors === 0)) return undefined
  return partitions.length === 0 ? undefined : partitions
}

/** A record without partitions; the identity is what BIOS systems tell disks apart by. */
export function emptyRecord(sector: number, identity: number): Buffer {
  const bytes = Buffer.alloc(sector)
  bytes.writeUInt32LE(identity, 440)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

/** The record that shows a disk with a GPT as full to those who don't know GPT. */
export function protectiveRecord(sector: number, sectors: number): Buffer {
  const bytes = Buffer.alloc(sector)
  bytes.writeUIntLE(0x000200, tableAt + 1, 3)
  bytes.writeUInt8(protectiveType, tableAt + 4)
  bytes.writeUInt32LE(1, tableAt + 8)
  bytes.writeUInt16LE(0xaa55, 510)
  return stretched(bytes, sectors)
}

/** The protective entry of a GPT covers the whole disk, or as much as 32 bits can say. */
export function stretched(bytes: Buffer, sectors: number): Buffer {
  const result = Buffer.from(bytes)
  for (let offset = tableAt; offset < tableAt + 4 * entryLength; offset += entryLength)
    if (result[offset + 4] === protectiveType && result.readUInt32LE(offset + 8) === 1) {
      // The end in cylinders, heads and sectors: "cannot be represented" (UEFI 2.10 table 5.3).
      result.writeUIntLE(0xffffff, offset + 5, 3)
      result.writeUInt32LE(Math.min(sectors - 1, most), offset + 12)
    }
  return result
}

export function withMbrPartition(
  bytes: Buffer,
  first: number,
  sectors: number,
  type = linuxType,
): { bytes: Buffer; number: number } {
  const taken = new Set((parseMbr(bytes) ?? []).map(({ number }) => number))
  const number = [1, 2, 3, 4].find((each) => !taken.has(each))
  if (number === undefined)
    throw new CommandFailure('PartitionTableError', 'an MBR has four entries, and all are taken; use a GPT')
  if (first + sectors - 1 > most)
    throw new CommandFailure('PartitionTableError', 'an MBR cannot say where a partition beyond 2 TiB is; use a GPT')
  const result = Buffer.from(bytes)
  const offset = tableAt + (number - 1) * entryLength
  result.fill(0, offset, offset + entryLength)
  // Cylinders, heads and sectors cannot express it: both ends say "look at the LBA".
  result.writeUIntLE(0xfffffe, offset + 1, 3)
  result.writeUInt8(type, offset + 4)
  result.writeUIntLE(0xfffffe, offset + 5, 3)
  result.writeUInt32LE(first, offset + 8)
  result.writeUInt32LE(sectors, offset + 12)
  return { bytes: result, number }
}

export function mbrFreeFrom(partitions: readonly MbrPartition[]): number {
  return Math.max(1, ...partitions.map(({ first, sectors }) => first + sectors))
}
