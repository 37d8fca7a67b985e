import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../agent/ramdisk/run.ts'

/** `modules`: of GRUB, for its commands beyond those that every image has. */
export type BootMenu = { rootUuid: string; commands: readonly string[]; modules?: readonly string[] }
export type BootLoaders = { boot: Uint8Array; core: Uint8Array; efi: string }

const modules = [
  'mdraid1x',
  'part_gpt',
  'part_msdos',
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
    run('grub-mkimage', [
      '-O',
      format,
      '-p',
      '/boot/grub',
      '-c',
      config,
      '-o',
      output,
      ...modules,
      ...(menu.modules ?? []),
      ...more,
    ])
  await image('i386-pc', core, ['biosdisk'])
  await image('x86_64-efi', efi, ['fat'])
  return { boot: await readFile('/usr/lib/grub/i386-pc/boot.img'), core: await readFile(core), efi }
}

function firstCommands({ rootUuid, commands }: BootMenu): string {
  const lines = ['serial --unit=0 --speed=115200', 'terminal_output console serial']
  return [...lines, `search --no-floppy --fs-uuid --set=root ${rootUuid}`, ...commands, ''].join('\n')
}
