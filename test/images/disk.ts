import { open, rm } from 'node:fs/promises'
import { run } from '../../agent/ramdisk/run.ts'
import { placeOnDisk } from '../../agent/loader/grub-core.ts'
import type { BootLoaders } from './grub.ts'

export type DiskContents = {
  /** The folder that becomes the root file system. */
  root: string
  rootUuid: string
  label: string
  mebibytes: number
  loaders: BootLoaders
}

/** Mebibytes. The last one stays free for the backup partition table. */
export const layout = { biosBoot: { at: 1, size: 1 }, esp: { at: 2, size: 16 }, root: { at: 18 } }
const sectorsIn = (mebibytes: number) => mebibytes * 2048

/** A whole-disk image that starts under BIOS and UEFI: GPT with BIOS boot, EFI system and root partition. No mounts. */
export async function makeDisk(
  path: string,
  { root, rootUuid, label, mebibytes, loaders }: DiskContents,
): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx+')
  try {
    await file.truncate(mebibytes << 20)
    await partition(path, mebibytes)
    const at = sectorsIn(layout.biosBoot.at)
    const { masterBootCode, core } = placeOnDisk(loaders, at, sectorsIn(layout.biosBoot.size))
    await file.write(masterBootCode, 0, masterBootCode.length, 0)
    await file.write(core, 0, core.length, at * 512)
  } finally {
    await file.close()
  }
  await makeEfiSystem(path, loaders.efi)
  await makeRoot(path, { root, rootUuid, label, mebibytes: mebibytes - layout.root.at - 1 })
}

/** Types of sgdisk: ef02 BIOS boot, ef00 EFI system, 8300 Linux. Fixed GUIDs: equal recipes give equal tables. */
async function partition(path: string, mebibytes: number): Promise<void> {
  const { biosBoot, esp } = layout
  const entry = (number: number, at: number, size: number, type: string, name: string) => [
    `--new=${number}:${sectorsIn(at)}:${sectorsIn(at + size) - 1}`,
    `--typecode=${number}:${type}`,
    `--change-name=${number}:${name}`,
    `--partition-guid=${number}:b100e410-0000-4000-8000-00000000000${number}`,
  ]
  await run('sgdisk', [
    '--clear',
    '--disk-guid=b100e410-0000-4000-8000-000000000000',
    ...entry(1, biosBoot.at, biosBoot.size, 'ef02', 'bios-boot'),
    ...entry(2, esp.at, esp.size, 'ef00', 'esp'),
    ...entry(3, layout.root.at, mebibytes - layout.root.at - 1, '8300', 'root'),
    path,
  ])
}

/** The removable-media path (UEFI 2.10 §3.5.1.1) starts without any boot entry in the machine's firmware. */
async function makeEfiSystem(path: string, loader: string): Promise<void> {
  const { at, size } = layout.esp
  const kibibytes = String(size * 1024)
  await run('mkfs.vfat', ['-F', '16', '-n', 'ESP', '-i', 'b100e410', `--offset=${sectorsIn(at)}`, path, kibibytes])
  const drive = `${path}@@${at << 20}`
  await run('mmd', ['-i', drive, '::/EFI', '::/EFI/BOOT'])
  await run('mcopy', ['-i', drive, loader, '::/EFI/BOOT/BOOTX64.EFI'])
}

type Root = { root: string; rootUuid: string; label: string; mebibytes: number }

async function makeRoot(path: string, { root, rootUuid, label, mebibytes }: Root): Promise<void> {
  // GRUB 2.06 reads no file system with the features switched off here.
  const features = '^metadata_csum_seed,^orphan_file'
  const extended = `offset=${layout.root.at << 20},hash_seed=${rootUuid},root_owner=0:0`
  const args = ['-q', '-F', '-t', 'ext4', '-L', label, '-U', rootUuid, '-O', features, '-E', extended, '-m', '0']
  await run('mke2fs', [...args, '-d', root, path, `${mebibytes}M`])
}
