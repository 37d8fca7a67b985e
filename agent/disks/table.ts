import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { CommandFailure } from '../failure.ts'
import { readAt, writeAt } from './device.ts'
import { MiB, type Disk } from './disk.ts'
import {
  entriesLength,
  fitted,
  freeFrom,
  linuxType,
  parseHeader,
  partitionsOf,
  tableOf,
  withPartition,
  writesOf,
} from './gpt.ts'
import type { Table } from './gpt.ts'
import { mbrFreeFrom, parseMbr, protectiveRecord, stretched, withMbrPartition } from './mbr.ts'

export interface Extent {
  /** Of the partition, as in /dev/sda3. */
  number: number
  offset: number
}

/** The GPT that a disk bears, if it bears one. */
export async function readGpt(handle: FileHandle, disk: Disk): Promise<Table | undefined> {
  const sector = await readAt(handle, disk.sector, disk.sector)
  const header = parseHeader(sector)
  if (!header || header.current !== 1) return undefined
  const entries = await readAt(handle, header.entriesAt * disk.sector, entriesLength(header))
  return tableOf(sector, header, entries)
}

/** An image's GPT ends where the image ended; the second copy belongs at the end of the disk. Nothing without a GPT. */
export async function fitTable(handle: FileHandle, disk: Disk): Promise<Table | undefined> {
  const table = await readGpt(handle, disk)
  if (!table) {
    await refuseForeignSector(handle, disk)
    return undefined
  }
  const sectors = Math.floor(disk.size / disk.sector)
  const result = fitted(table, sectors)
  const stale = table.header.backup
  if (stale < result.header.backup) await writeAt(handle, stale * disk.sector, Buffer.alloc(disk.sector))
  await writeTable(handle, result)
  await writeAt(handle, 0, stretched(await readAt(handle, 0, disk.sector), sectors))
  return result
}

/** A place of at least this many bytes named config-2: the image's own, or a new partition at the end of the disk. */
export async function placeForConfigDrive(handle: FileHandle, disk: Disk, bytes: number): Promise<Extent> {
  const table = await readGpt(handle, disk)
  const existing = table && partitionsOf(table).find(({ name }) => name === configDriveName)
  if (existing && (existing.last - existing.first + 1) * disk.sector >= bytes)
    return { number: existing.number, offset: existing.first * disk.sector }
  const unit = MiB / disk.sector
  const sectors = Math.ceil(bytes / MiB) * unit
  if (table) {
    const first = alignedBefore(table.header.lastUsable, sectors, unit, freeFrom(table))
    const last = first + sectors - 1
    const added = { type: linuxType, guid: randomUUID(), name: configDriveName, first, last }
    const changed = withPartition(table, added)
    await writeTable(handle, changed.table)
    return { number: changed.number, offset: first * disk.sector }
  }
  const record = await readAt(handle, 0, disk.sector)
  const partitions = parseMbr(record)
  if (!partitions)
    throw new CommandFailure(
      'PartitionTableError',
      'the image has no partition table, so a config drive has no place on it',
    )
  const end = Math.floor(disk.size / disk.sector) - 1
  const first = alignedBefore(end, sectors, unit, mbrFreeFrom(partitions))
  const changed = withMbrPartition(record, first, sectors)
  await writeAt(handle, 0, changed.bytes)
  return { number: changed.number, offset: first * disk.sector }
}

const configDriveName = 'config-2'

/** Makes a blank disk one with this table, and with nothing else in front of its first partition. */
export async function writeNewTable(handle: FileHandle, disk: Disk, table: Table): Promise<void> {
  await writeTable(handle, table)
  await writeAt(handle, 0, protectiveRecord(disk.sector, Math.floor(disk.size / disk.sector)))
  await handle.sync()
}

export async function writeTable(handle: FileHandle, table: Table): Promise<void> {
  for (const { offset, bytes } of writesOf(table)) await writeAt(handle, offset, bytes)
}

function alignedBefore(last: number, sectors: number, unit: number, free: number): number {
  const first = Math.floor((last + 1 - sectors) / unit) * unit
  if (first >= free) return first
  const room = Math.max(0, last + 1 - free)
  throw new CommandFailure(
    'PartitionTableError',
    `no room for the config drive: it needs ${sectors} sectors, and ${room} are free behind the last partition`,
  )
}

/** A table made for the other size of sectors is invisible: firmware would find no partition. */
async function refuseForeignSector(handle: FileHandle, disk: Disk): Promise<void> {
  for (const sector of [512, 4096]) {
    const found = (await readAt(handle, sector, 4096)).toString('latin1', 0, 8) === 'EFI PART'
    if (found && sector !== disk.sector)
      throw new CommandFailure(
        'PartitionTableError',
        `the image's GPT is for sectors of ${sector} bytes, and ${disk.name} has sectors of ${disk.sector}`,
      )
  }
}
