import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { readAt, writeAt } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { biosBootType, espType, linuxType, partitionsOf, swapType } from '../disks/gpt.ts'
import { layOut, margin, type LaidOut } from '../disks/lay-out.ts'
import { emptyRecord, parseMbr, withMbrPartition } from '../disks/mbr.ts'
import { readGpt, writeNewTable } from '../disks/table.ts'
import type { Layout, Role } from './wanted.ts'

export interface Placed extends LaidOut {
  role: Role
}

const gptTypes: Record<Role, string> = {
  esp: espType,
  'bios-boot': biosBootType,
  ephemeral: linuxType,
  swap: swapType,
  'config-2': linuxType,
  root: linuxType,
}
const mbrTypes: Partial<Record<Role, number>> = { esp: 0xef, swap: 0x82 }

/** Where each partition is. Pure: the same layout has the same places, so that a rebuild finds what it must keep. */
export function places({ partitions }: Layout): Placed[] {
  let offset = margin
  return partitions.map(({ role, size }, index) => {
    const placed = { role, number: index + 1, offset, size }
    offset += size
    return placed
  })
}

export async function writeLayout(handle: FileHandle, disk: Disk, layout: Layout): Promise<void> {
  if (layout.label === 'gpt') {
    const wanted = layout.partitions.map(({ role, size }) => ({ name: role, type: gptTypes[role], size }))
    return writeNewTable(handle, disk, layOut(disk, wanted).table)
  }
  let record = emptyRecord(disk.sector, randomBytes(4).readUInt32LE())
  for (const { role, offset, size } of places(layout))
    record = withMbrPartition(record, offset / disk.sector, size / disk.sector, mbrTypes[role]).bytes
  await writeAt(handle, 0, record)
  await handle.sync()
}

/** Whether the disk's table is what writeLayout would make of it. */
export async function hasLayout(handle: FileHandle, disk: Disk, layout: Layout): Promise<boolean> {
  const table = await readGpt(handle, disk)
  const found = table
    ? partitionsOf(table).map(({ number, first, last }) => [number, first, last - first + 1])
    : (parseMbr(await readAt(handle, 0, disk.sector)) ?? []).map(({ number, first, sectors }) => [
        number,
        first,
        sectors,
      ])
  const wanted = places(layout).map(({ number, offset, size }) => [number, offset / disk.sector, size / disk.sector])
  return (table !== undefined) === (layout.label === 'gpt') && JSON.stringify(found) === JSON.stringify(wanted)
}
