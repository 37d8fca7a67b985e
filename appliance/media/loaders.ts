import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeFat } from './fat.ts'

const run = promisify(execFile)
const BUILD_MS = 60_000

/** What firmware loads from a CD, as boot images of El Torito. */
export interface CdLoaders {
  /** GRUB for BIOS. */
  bios?: Uint8Array
  /** A FAT file system with shim, signed by Microsoft, and GRUB for CDs, signed by Debian: good under Secure Boot and without. */
  uefi?: Uint8Array
}

const signed = {
  x86_64: {
    shim: '/usr/lib/shim/shimx64.efi.signed',
    grub: '/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed',
    names: ['EFI/BOOT/BOOTX64.EFI', 'EFI/BOOT/GRUBX64.EFI'],
  },
  aarch64: {
    shim: '/usr/lib/shim/shimaa64.efi.signed',
    grub: '/usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed',
    names: ['EFI/BOOT/BOOTAA64.EFI', 'EFI/BOOT/GRUBAA64.EFI'],
  },
} as const

const BIOS_MODULES = '/usr/lib/grub/i386-pc'
/** What the configuration on the medium uses, and what finds it. */
const modules = ['biosdisk', 'iso9660', 'normal', 'linux', 'echo', 'sleep', 'reboot', 'test']

/** Of Debian's packages, those that are there. */
export async function openCdLoaders(arch: 'x86_64' | 'aarch64'): Promise<CdLoaders> {
  const { shim, grub, names } = signed[arch]
  const [first, second] = [await ifThere(shim), await ifThere(grub)]
  const bios = arch === 'x86_64' && (await ifThere(join(BIOS_MODULES, 'cdboot.img'))) ? await grubForBios() : undefined
  return {
    ...(bios ? { bios } : {}),
    ...(first && second
      ? {
          uefi: writeFat([
            { path: names[0], content: first },
            { path: names[1], content: second },
          ]),
        }
      : {}),
  }
}

async function grubForBios(): Promise<Uint8Array> {
  const dir = await mkdtemp(join(tmpdir(), 'grub-cd-'))
  try {
    const out = join(dir, 'eltorito.img')
    const argv = ['-O', 'i386-pc-eltorito', '-d', BIOS_MODULES, '-p', '/boot/grub', '-o', out, ...modules]
    await run('grub-mkimage', argv, { timeout: BUILD_MS })
    return await readFile(out)
  } catch (error) {
    throw new Error("GRUB for CDs can't be built for BIOS: is Debian's package grub-common installed?", {
      cause: error,
    })
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function ifThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
}
