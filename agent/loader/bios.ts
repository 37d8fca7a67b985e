import { openDisk, readAt, writeAt } from '../disks/device.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { biosBootType, partitionsOf } from '../disks/gpt.ts'
import { parseMbr } from '../disks/mbr.ts'
import { readGpt } from '../disks/table.ts'
import { firstCommands, type BootFiles } from './grub-config.ts'
import { placeOnDisk } from './grub-core.ts'
import { bootSector, makeGrub } from './grub-image.ts'
import { unbootable } from './look.ts'

/** Has a BIOS start these files from each of the disks: GRUB in the first sector and in the BIOS boot partition, or before the first
 * partition where the table is an MBR. */
export async function installForBios(disks: readonly Disk[], files: BootFiles, kernelArguments: string): Promise<void> {
  const core = await makeGrub('bios', firstCommands(files, kernelArguments))
  const boot = await bootSector()
  for (const disk of disks) await place(disk, { boot, core })
}

async function place(disk: Disk, parts: { boot: Buffer; core: Buffer }): Promise<void> {
  if (disk.sector !== 512)
    throw unbootable(`${disk.name} has sectors of ${disk.sector} bytes, which no BIOS boots: use UEFI`)
  const handle = await openDisk(disk.name, disk.holds !== undefined)
  try {
    const room = await roomForCore(disk, handle)
    const { masterBootCode, core } = placeOnDisk(parts, room.first, room.sectors)
    await writeAt(handle, room.first * 512, core)
    const record = await readAt(handle, 0, 512)
    masterBootCode.copy(record)
    await writeAt(handle, 0, record)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function roomForCore(
  disk: Disk,
  handle: Parameters<typeof readAt>[0],
): Promise<{ first: number; sectors: number }> {
  const table = await readGpt(handle, disk)
  if (table) {
    const found = partitionsOf(table).find(({ type }) => type === biosBootType)
    if (found) return { first: found.first, sectors: found.last - found.first + 1 }
    throw unbootable(`the GPT of ${disk.name} has no BIOS boot partition`)
  }
  const first = Math.min(...(parseMbr(await readAt(handle, 0, 512)) ?? []).map((each) => each.first), MiB / 512)
  return { first: 1, sectors: first - 1 }
}
