import { fileSystemOn } from './file-system.ts'
import { openDisk, partitionPath, readAt } from './device.ts'
import type { Disk } from './disk.ts'
import { espType, guidAt, partitionsOf } from './gpt.ts'
import { parseMbr } from './mbr.ts'
import { readGpt } from './table.ts'

const espTypeOfMbr = 0xef

/** What the partition table says, GPT or MBR. */
export interface Identity {
  identifier: string
  partitions: { number: number; isEsp: boolean; guid: string | null }[]
}

export async function identityOf(disk: Disk): Promise<Identity> {
  const handle = await openDisk(disk.name, disk.holds !== undefined)
  try {
    const table = await readGpt(handle, disk)
    if (table)
      return {
        identifier: guidAt(table.header.diskGuid, 0),
        partitions: partitionsOf(table).map(({ number, type, guid }) => ({ number, isEsp: type === espType, guid })),
      }
    const record = await readAt(handle, 0, disk.sector)
    return {
      identifier: `0x${record.readUInt32LE(440).toString(16).padStart(8, '0')}`,
      partitions: (parseMbr(record) ?? []).map(({ number, type }) => ({
        number,
        isEsp: type === espTypeOfMbr,
        guid: null,
      })),
    }
  } finally {
    await handle.close()
  }
}

/** The answer to get_partition_uuids. Of a whole-disk image nobody knows which partition is the root; of a partition image it tells file
 * systems, not partitions. */
export async function identify(disk: Disk, root: number | undefined): Promise<Record<string, unknown>> {
  const { identifier, partitions } = await identityOf(disk)
  const esp = partitions.find(({ isEsp }) => isEsp)
  const path = (number: number) => partitionPath(disk.name, number)
  const onPartition = async (number: number) => (await fileSystemOn(path(number)))?.uuid ?? null
  return {
    'root uuid': root === undefined ? null : await onPartition(root),
    'efi system partition uuid':
      root === undefined || esp === undefined ? (esp?.guid ?? null) : await onPartition(esp.number),
    'PReP Boot partition uuid': null,
    'disk identifier': identifier,
    partitions: Object.fromEntries(
      partitions.flatMap(({ number, guid }) => {
        const told = root === undefined ? guid : path(number)
        return told === null ? [] : [[String(number), told]]
      }),
    ),
  }
}
