import { openDisk, readAt, writeAt, wipeEnds } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { biosBootType, espType, partitionsOf } from '../disks/gpt.ts'
import { readGpt } from '../disks/table.ts'

/** Where a master boot record has its table: before it is code. */
const TABLE_AT = 440
const loaderTypes = [espType, biosBootType]

/** A disk of arrays that were erased keeps its table, for the arrays are to stay; the loaders beside them led to what is gone, and are
 * made anew by the next deploy. */
export async function forgetLoaders(disk: Disk): Promise<void> {
  const handle = await openDisk(disk.name, disk.holds !== undefined)
  try {
    const table = await readGpt(handle, disk)
    if (!table) return
    for (const { type, first, last } of partitionsOf(table))
      if (loaderTypes.includes(type)) await wipeEnds(handle, first * disk.sector, (last - first + 1) * disk.sector)
    const record = await readAt(handle, 0, disk.sector)
    await writeAt(handle, 0, record.fill(0, 0, TABLE_AT))
    await handle.sync()
  } finally {
    await handle.close()
  }
}
