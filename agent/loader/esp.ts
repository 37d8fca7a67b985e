import { cp, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../programs.ts'

/** EFI system partitions: by the kernel's driver, as the ramdisk has it, else by mtools. */

/** mtools asks when in doubt, and has nobody to ask. */
const quietly = ['-o', '-Q']

export async function makeEsp(partition: string): Promise<void> {
  await run('mkfs.vfat', ['-F', '32', '-n', 'ESP', partition], 120)
}

/** Copies files and folders of a folder into the root of the file system. */
export async function putOn(partition: string, folder: string): Promise<void> {
  const names = (await readdir(folder)).map((name) => join(folder, name))
  if (await whileMounted(partition, 'rw', (mounted) => cp(folder, mounted, { recursive: true }))) return
  if (names.length > 0) await run('mcopy', ['-s', ...quietly, '-i', partition, ...names, '::/'], 300)
}

/** Has all that is on it in a folder for a while. */
export async function withFilesOf(partition: string, use: (folder: string) => Promise<void>): Promise<void> {
  if (await whileMounted(partition, 'ro', use)) return
  const folder = await mkdtemp(join(tmpdir(), 'esp-'))
  try {
    await run('mcopy', ['-s', ...quietly, '-i', partition, '::/*', folder], 300)
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** False: it can't be mounted here. */
async function whileMounted(
  partition: string,
  how: 'ro' | 'rw',
  use: (folder: string) => Promise<void>,
): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'esp-'))
  try {
    const options = `${how},nosuid,nodev,noexec`
    const done = run('mount', ['-t', 'vfat', '-o', options, partition, folder], 60)
    const isMounted = await done.then(
      () => true,
      () => false,
    )
    if (!isMounted) return false
    try {
      await use(folder)
    } finally {
      await run('umount', [folder], 120)
    }
    return true
  } finally {
    await rmdir(folder)
  }
}
