import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Architecture, aptFor } from '../../../agent/ramdisk/apt.ts'
import { contentKey } from '../../../agent/ramdisk/key.ts'
import { download, fileName, resolveKernel, resolveOne, unpack } from '../../../agent/ramdisk/debian.ts'
import { signedLoaders } from '../../../agent/ramdisk/signed-loaders.ts'

const cache = join(import.meta.dirname, '../../../.cache')

/** What a machine of one processor boots, from Debian's packages of that processor. */
export interface DebianBoot {
  kernel: string
  busybox: string
  shim: string
  grub: string
}

/** Kept by the versions that it is of. */
export async function debianBoot(architecture: Architecture): Promise<DebianBoot> {
  const apt = await aptFor(architecture, cache)
  const kernelPackage = await resolveKernel(`linux-image-cloud-${architecture}`, apt)
  const packages = [kernelPackage, await resolveOne('busybox-static', apt)]
  const folder = join(cache, 'qemu-boot', contentKey(packages.map(fileName)))
  if (!existsSync(folder)) {
    await mkdir(join(cache, 'qemu-boot'), { recursive: true })
    const work = await mkdtemp(`${folder}.`)
    await unpack(await download(packages, join(cache, 'debs'), apt), join(work, 'root'))
    const boot = join(work, 'root', 'boot')
    const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz-'))
    if (kernel === undefined) throw new Error(`Debian's kernel for ${architecture} holds no vmlinuz`)
    await mkdir(join(work, 'kept'))
    await cp(join(boot, kernel), join(work, 'kept', 'kernel'))
    await cp(join(work, 'root', 'bin/busybox'), join(work, 'kept', 'busybox'))
    await rename(join(work, 'kept'), folder)
    await rm(work, { recursive: true })
  }
  const at = (name: string): string => join(folder, name)
  return { kernel: at('kernel'), busybox: at('busybox'), ...(await signedLoaders(architecture, cache, folder)) }
}
