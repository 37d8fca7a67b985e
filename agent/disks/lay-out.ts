import { randomUUID } from 'node:crypto'
import { emptyTable, withPartition, type Table } from './gpt.ts'
import { MiB, type Disk } from './disk.ts'

export interface WantedPartition {
  name: string
  /** A GPT type. */
  type: string
  /** Bytes, a multiple of 1 MiB. */
  size: number
}

export interface LaidOut {
  number: number
  /** Bytes. */
  offset: number
  size: number
}

/** Partitions begin here, and between their end and the disk's is as much: the second copy of the table lies there. */
export const margin = MiB

/** What partitions may share between them on a disk of this size. */
export function roomOn({ size }: Pick<Disk, 'size'>): number {
  return Math.floor(size / MiB) * MiB - 2 * margin
}

/** One partition after the other, from 1 MiB on; the caller has seen to it that they fit. */
export function layOut(disk: Disk, wanted: readonly WantedPartition[]): { table: Table; partitions: LaidOut[] } {
  const { sector } = disk
  let table = emptyTable(Math.floor(disk.size / sector), sector, randomUUID())
  let offset = margin
  const partitions = wanted.map(({ name, type, size }) => {
    const place = { first: offset / sector, last: (offset + size) / sector - 1 }
    const added = withPartition(table, { type, guid: randomUUID(), name, ...place })
    table = added.table
    const laid = { number: added.number, offset, size }
    offset += size
    return laid
  })
  return { table, partitions }
}
