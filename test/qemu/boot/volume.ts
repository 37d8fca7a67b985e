import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BootVolume } from '../../../contract/boot-volume.ts'
import type { Export } from '../../../appliance/volumes/target.ts'
import { makeDisk } from '../../images/disk.ts'
import { makeGrub } from '../../images/grub.ts'
import { tinyRamdisk } from './ramdisk.ts'

const UUID = 'b100e410-7e57-4000-8000-000000000002'
const INITIATOR = 'iqn.2026-11.org.example:node-1'

export const SAYS = 'BOOTED FROM THE VOLUME'

/** A disk whose GRUB has the firmware's disk services load a kernel and a ramdisk that says where it came from. */
export async function makeVolume(
  dir: string,
  { kernel, busybox }: { kernel: string; busybox: string },
): Promise<string> {
  const root = join(dir, 'root')
  await mkdir(join(root, 'boot'), { recursive: true })
  await copyFile(kernel, join(root, 'boot/vmlinuz'))
  await writeFile(join(root, 'boot/initrd'), await tinyRamdisk(busybox, SAYS))
  const commands = ['linux /boot/vmlinuz console=ttyS0 panic=-1', 'initrd /boot/initrd', 'boot']
  const loaders = await makeGrub({ rootUuid: UUID, commands }, dir)
  const disk = join(dir, 'volume.raw')
  await makeDisk(disk, { root, rootUuid: UUID, label: 'volume', mebibytes: 56, loaders })
  return disk
}

/** How the site has it, and what the machine is told. */
export function volumeOf(path: string): { boot: BootVolume; exported: Export } {
  const name = 'iqn.2026-11.org.example:volume-1'
  const chap = { user: 'node-1', secret: { $sealed: { v: 1 as const, to: {} } }, bind: 'n1/auth_password' }
  return {
    boot: { initiator: INITIATOR, portal: '10.97.0.1:3260', iqn: name, lun: 1, chap },
    exported: { name, path, initiator: INITIATOR, user: chap.user, secret: 'only-for-one-lab', serial: '1' },
  }
}
