import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { grubPlatforms, type GrubPlatform, moduleClosure } from '../loader/grub-modules.ts'
import type { Architecture } from './apt.ts'
import type { Entry } from './cpio.ts'

/** What the agent makes GRUBs of, for the firmwares of each processor. */
const platforms: Record<Architecture, readonly GrubPlatform[]> = { amd64: ['bios', 'x64'], arm64: ['arm64'] }

export const grubPackages: Record<Architecture, readonly string[]> = {
  amd64: ['grub-efi-amd64-bin', 'grub-pc-bin'],
  arm64: ['grub-efi-arm64-bin'],
}

const images: Record<GrubPlatform, readonly string[]> = {
  bios: ['boot.img', 'diskboot.img', 'kernel.img', 'lzma_decompress.img'],
  x64: ['kernel.img'],
  arm64: ['kernel.img'],
}

export async function grubFiles(root: string, architecture: Architecture): Promise<Entry[]> {
  const all = await Promise.all(
    platforms[architecture].map(async (platform) => {
      const { folder, modules } = grubPlatforms[platform]
      const from = join(root, 'usr/lib/grub', folder)
      const needed = moduleClosure(await readFile(join(from, 'moddep.lst'), 'utf8'), modules)
      const names = [...images[platform], 'moddep.lst', ...needed.map((name) => `${name}.mod`)]
      return names.map((name): Entry => {
        return {
          path: `usr/lib/grub/${folder}/${name}`,
          kind: 'file',
          mode: 0o644,
          content: { from: join(from, name) },
        }
      })
    }),
  )
  return all.flat()
}
