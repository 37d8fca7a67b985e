import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../agent/ramdisk/run.ts'

export type BootMenu = { rootUuid: string; commands: readonly string[] }
export type BootLoaders = { boot: Uint8Array; core: Uint8Array; efi: string }

const modules = [
  'part_gpt',
  'ext2',
  'search',
  'search_fs_uuid',
  'normal',
  'configfile',
  'linux',
  'serial',
  'terminal',
  'echo',
]

/** GRUB for both firmwares, each with its first commands inside, so that neither looks for its files on some disk. */
export async function makeGrub(menu: BootMenu, folder: string): Promise<BootLoaders> {
  const config = join(folder, 'grub-embedded.cfg')
  const efi = join(folder, 'BOOTX64.EFI')
  const core = join(folder, 'core.img')
  await writeFile(config, firstCommands(menu))
  const image = (format: string, output: string, more: readonly string[]) =>
    run('grub-mkimage', ['-O', format, '-p', '/boot/grub', '-c', config, '-o', output, ...modules, ...more])
  await image('i386-pc', core, ['biosdisk'])
  await image('x86_64-efi', efi, ['fat'])
  return { boot: await readFile('/usr/lib/grub/i386-pc/boot.img'), core: await readFile(core), efi }
}

function firstCommands({ rootUuid, commands }: BootMenu): string {
  const lines = ['serial --unit=0 --speed=115200', 'terminal_output console serial']
  return [...lines, `search --no-floppy --fs-uuid --set=root ${rootUuid}`, ...commands, ''].join('\n')
}

/** Offsets in boot.img (grub-core/boot/i386/pc/boot.S and include/grub/i386/pc/boot.h of GRUB 2.06). */
const coreSector = 0x5c
const driveCheck = 0x66
/** The code ends where the partition table's sector keeps the disk's signature. */
const codeEnd = 0x1b8
/** Where core's first sector says what else to load and to which segment: the last of its block lists (12 bytes each). */
const blockList = 0x200 - 12
const segmentAfterFirstSector = 0x820

/**
 * What grub-bios-setup does for a BIOS boot partition, without a block device: the first sector learns where core.img
 * begins, and core's first sector learns where the rest of it is.
 */
export function placeOnDisk(
  { boot, core }: Pick<BootLoaders, 'boot' | 'core'>,
  firstSector: number,
  sectors: number,
): { masterBootCode: Uint8Array; core: Uint8Array } {
  const length = Math.ceil(core.length / 512)
  if (length > sectors) throw new Error(`core.img takes ${length} sectors and the BIOS boot partition has ${sectors}`)
  const masterBootCode = Buffer.from(boot.subarray(0, codeEnd))
  masterBootCode.writeBigUInt64LE(BigInt(firstSector), coreSector)
  // A jump that distrusts the drive number of old BIOSes is replaced by two NOPs, as on any hard disk.
  masterBootCode.writeUInt16LE(0x9090, driveCheck)
  const placed = Buffer.alloc(length * 512)
  placed.set(core)
  placed.writeBigUInt64LE(BigInt(firstSector + 1), blockList)
  placed.writeUInt16LE(length - 1, blockList + 8)
  placed.writeUInt16LE(segmentAfterFirstSector, blockList + 10)
  return { masterBootCode, core: placed }
}
