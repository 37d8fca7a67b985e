import { cp, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSystemOn } from '../disks/file-system.ts'
import { bootFiles, firstCommands } from './grub-config.ts'
import { makeGrub } from './grub-image.ts'
import { bootCandidates, distributionOf, looking, unbootable } from './look.ts'

/** UEFI 2.10 §3.5.1.1. */
const removable = { x64: 'BOOTX64.EFI', arm64: 'BOOTAA64.EFI' } as const
/** Of Debian and its kin: signed, so that Secure Boot lets them through; they read their menu beside themselves. */
const signed = {
  x64: {
    shim: 'usr/lib/shim/shimx64.efi.signed',
    grub: 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed',
    name: 'grubx64.efi',
  },
  arm64: {
    shim: 'usr/lib/shim/shimaa64.efi.signed',
    grub: 'usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed',
    name: 'grubaa64.efi',
  },
} as const
type Processor = keyof typeof removable

/** What an EFI system partition must hold to boot a root file system, in a folder for a while. */
export async function withAssets<T>(
  root: string,
  kernelArguments: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const processor = process.arch as Processor
  if (!Object.hasOwn(removable, processor))
    throw unbootable(`no loader is known for processors of kind ${process.arch}`)
  const system = await fileSystemOn(root)
  if (!system) throw unbootable(`${root} holds no file system`)
  const folder = await mkdtemp(join(tmpdir(), 'assets-'))
  try {
    const done = await looking(root, system, (mounted) =>
      gather(mounted, folder, processor, system.uuid, kernelArguments),
    )
    if (done === undefined) throw unbootable(`its root file system, ${system.type}, is not one that the ramdisk reads`)
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function gather(
  root: string,
  folder: string,
  processor: Processor,
  uuid: string,
  kernelArguments: string,
): Promise<true> {
  // Its own, as it was when the image was made: its menu finds the root by the identity that it still has.
  for (const own of ['boot/efi/EFI', 'efi/EFI'])
    if (await exists(join(root, own))) {
      await cp(join(root, own), join(folder, 'EFI'), { recursive: true, dereference: false, filter: isPlain })
      if (await exists(join(folder, 'EFI/BOOT'))) return true
    }
  const files = bootFiles(await bootCandidates(root), uuid)
  if (!files) throw unbootable('the image has neither a menu of GRUB nor a kernel in /boot')
  const boot = join(folder, 'EFI/BOOT')
  await mkdir(boot, { recursive: true })
  const { shim, grub, name } = signed[processor]
  const commands = firstCommands(files, kernelArguments)
  if (!((await exists(join(root, shim))) && (await exists(join(root, grub))))) {
    await writeFile(join(boot, removable[processor]), await makeGrub(processor, commands))
    return true
  }
  await cp(join(root, shim), join(boot, removable[processor]))
  await cp(join(root, grub), join(boot, name))
  const menu = join(folder, 'EFI', await distributionOf(root))
  await mkdir(menu, { recursive: true })
  await writeFile(join(menu, 'grub.cfg'), commands)
  return true
}

/** Links would lead out of the image, to files of the ramdisk. */
async function isPlain(path: string): Promise<boolean> {
  const what = await lstat(path)
  return what.isFile() || what.isDirectory()
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    (what) => !what.isSymbolicLink(),
    () => false,
  )
}
