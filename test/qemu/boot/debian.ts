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

const names = {
  amd64: { shim: 'shimx64.efi', grub: 'grubx64.efi' },
  arm64: { shim: 'shimaa64.efi', grub: 'grubaa64.efi' },
}
const found = new Map<Architecture, Promise<DebianBoot>>()

/** Looked for once in each process, and kept by the versions that it is of. */
export function debianBoot(architecture: Architecture): Promise<DebianBoot> {
  const made = found.get(architecture) ?? find(architecture)
  found.set(architecture, made)
  return made
}

async function find(architecture: Architecture): Promise<DebianBoot> {
  const apt = await aptFor(architecture, cache)
  const kernelPackage = await resolveKernel(`linux-image-cloud-${architecture}`, apt)
  const packages = [kernelPackage, await resolveOne('busybox-static', apt)]
  const loaders = ['shim-signed', `grub-efi-${architecture}-signed`].map((name) => resolveOne(name, apt))
  const files = [...packages, ...(await Promise.all(loaders))].map(fileName)
  const key = contentKey([...files, ...Object.values(names[architecture])])
  const folder = join(cache, 'qemu-boot', key)
  if (!existsSync(folder)) {
    await mkdir(join(cache, 'qemu-boot'), { recursive: true })
    const work = await mkdtemp(`${folder}.`)
    try {
      await unpack(await download(packages, join(cache, 'debs'), apt), join(work, 'root'))
      const boot = join(work, 'root', 'boot')
      const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz-'))
      if (kernel === undefined) throw new Error(`Debian's kernel for ${architecture} holds no vmlinuz`)
      const kept = join(work, 'kept')
      await mkdir(kept)
      await cp(join(boot, kernel), join(kept, 'kernel'))
      await cp(join(work, 'root', 'bin/busybox'), join(kept, 'busybox'))
      await signedLoaders(architecture, cache, kept)
      // Of two processes at once the first wins; the other's are the same.
      await rename(kept, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  const at = (name: string): string => join(folder, name)
  const { shim, grub } = names[architecture]
  return { kernel: at('kernel'), busybox: at('busybox'), shim: at(shim), grub: at(grub) }
}
