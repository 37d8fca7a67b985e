import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDisk } from '../../images/disk.ts'
import { makeGrub } from '../../images/grub.ts'
import { debianBoot } from './debian.ts'
import { tinyRamdisk } from './ramdisk.ts'

const UUID = 'b100e410-7e57-4000-8000-000000000002'

export const SAYS = 'BOOTED FROM THE VOLUME'

/** A disk whose GRUB has the firmware's disk services say what the second disk is like, and load a kernel and a ramdisk that says where it came from. */
export async function makeVolume(dir: string): Promise<string> {
  const { kernel, busybox } = await debianBoot('amd64')
  const root = join(dir, 'root')
  await mkdir(join(root, 'boot'), { recursive: true })
  await copyFile(kernel, join(root, 'boot/vmlinuz'))
  await writeFile(join(root, 'boot/initrd'), await tinyRamdisk(busybox, SAYS))
  const commands = ['ls (hd1)', 'linux /boot/vmlinuz console=ttyS0 panic=-1', 'initrd /boot/initrd', 'boot']
  const loaders = await makeGrub({ rootUuid: UUID, commands, modules: ['ls'] }, dir)
  const disk = join(dir, 'volume.raw')
  await makeDisk(disk, { root, rootUuid: UUID, label: 'volume', mebibytes: 56, loaders })
  return disk
}
