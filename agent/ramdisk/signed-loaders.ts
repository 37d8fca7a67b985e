import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Architecture, aptFor } from './apt.ts'
import { download, resolveOne, unpack } from './debian.ts'

const signed = {
  amd64: {
    package: 'grub-efi-amd64-signed',
    shim: ['shimx64.efi.signed', 'shimx64.efi'],
    grub: ['x86_64-efi-signed/grubnetx64.efi.signed', 'grubx64.efi'],
  },
  arm64: {
    package: 'grub-efi-arm64-signed',
    shim: ['shimaa64.efi.signed', 'shimaa64.efi'],
    grub: ['arm64-efi-signed/grubnetaa64.efi.signed', 'grubaa64.efi'],
  },
} as const

/** shim and GRUB of Debian's packages of a processor into `out`, named as they ask for each other, and where they lie. */
export async function signedLoaders(
  architecture: Architecture,
  cache: string,
  out: string,
): Promise<{ shim: string; grub: string }> {
  const apt = await aptFor(architecture, cache)
  const { package: grubPackage, shim, grub } = signed[architecture]
  const packages = [await resolveOne('shim-signed', apt), await resolveOne(grubPackage, apt)]
  const work = await mkdtemp(join(tmpdir(), 'loaders-'))
  try {
    await unpack(await download(packages, join(cache, 'debs'), apt), work)
    const paths = { shim: join(out, shim[1]), grub: join(out, grub[1]) }
    await copyFile(join(work, 'usr/lib/shim', shim[0]), paths.shim)
    await copyFile(join(work, 'usr/lib/grub', grub[0]), paths.grub)
    return paths
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
