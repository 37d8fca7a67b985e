import { openDisk, readAt } from './device.ts'
import type { Disk } from './disk.ts'
import { espType, guidAt, partitionsOf } from './gpt.ts'
import { readGpt } from './table.ts'

/** The answer to get_partition_uuids. Of a whole-disk image nobody knows which partition is the root. */
export async function identify(disk: Disk): Promise<Record<string, unknown>> {
  const handle = await openDisk(disk.name)
  try {
    const table = await readGpt(handle, disk)
    const partitions = table ? partitionsOf(table) : []
    const signature = (await readAt(handle, 0, disk.sector)).readUInt32LE(440)
    return {
      'root uuid': null,
      'efi system partition uuid': partitions.find(({ type }) => type === espType)?.guid ?? null,
      'PReP Boot partition uuid': null,
      'disk identifier': table ? guidAt(table.header.diskGuid, 0) : `0x${signature.toString(16).padStart(8, '0')}`,
      partitions: Object.fromEntries(partitions.map(({ number, guid }) => [String(number), guid])),
    }
  } finally {
    await handle.close()
  }
}
