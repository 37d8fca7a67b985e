import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Architecture, aptFor } from '../../../agent/ramdisk/apt.ts'
import { contentKey } from '../../../agent/ramdisk/key.ts'
import { download, fileName, resolveKernel, resolveOne, unpack } from '../../../agent/ramdisk/debian.ts'

const cache = join(import.meta.dirname, '../../../.cache')

/** What a machine of one processor boots, from Debian's packages of that processor. */
export interface DebianBoot {
  kernel: string
  busybox: string
  shim: string
  grub: string
}

const signed = {
  amd64: {
    package: 'grub-efi-amd64-signed',
    shim: 'shimx64.efi.signed',
    grub: 'x86_64-efi-signed/grubnetx64.efi.signed',
  },
  arm64: {
    package: 'grub-efi-arm64-signed',
    shim: 'shimaa64.efi.signed',
    grub: 'arm64-efi-signed/grubnetaa64.efi.signed',
  },
} as const

/** Kept by the versions that it is of. */
export async function debianBoot(architecture: Architecture): Promise<DebianBoot> {
  const apt = await aptFor(architecture, cache)
  const names = ['busybox-static', 'shim-signed', signed[architecture].package]
  const packages = [await resolveKernel(`linux-image-cloud-${architecture}`, apt)]
  for (const name of names) packages.push(await resolveOne(name, apt))
  const folder = join(cache, 'qemu-boot', contentKey(packages.map(fileName)))
  if (!existsSync(folder)) {
    await mkdir(join(cache, 'qemu-boot'), { recursive: true })
    const work = await mkdtemp(`${folder}.`)
    await unpack(await download(packages, join(cache, 'debs'), apt), join(work, 'root'))
    const boot = join(work, 'root', 'boot')
    const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz-'))
    if (kernel === undefined) throw new Error(`Debian's kernel for ${architecture} holds no vmlinuz`)
    await mkdir(join(work, 'kept'))
    const { shim, grub } = signed[architecture]
    await cp(join(boot, kernel), join(work, 'kept', 'kernel'))
    await cp(join(work, 'root', 'bin/busybox'), join(work, 'kept', 'busybox'))
    await cp(join(work, 'root', 'usr/lib/shim', shim), join(work, 'kept', 'shim'))
    await cp(join(work, 'root', 'usr/lib/grub', grub), join(work, 'kept', 'grub'))
    await rename(join(work, 'kept'), folder)
    await rm(work, { recursive: true })
  }
  const at = (name: string): string => join(folder, name)
  return { kernel: at('kernel'), busybox: at('busybox'), shim: at('shim'), grub: at('grub') }
}
