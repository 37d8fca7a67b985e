import { mkdtemp, readdir, readFile, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileSystem } from '../disks/file-system.ts'
import { CommandFailure } from '../failure.ts'
import { run } from '../programs.ts'

/** Without replaying its journal: it was made by others, and is only looked at. */
const options: Record<string, string> = {
  ext4: 'ro,nosuid,nodev,noexec,noload',
  ext3: 'ro,nosuid,nodev,noexec,noload',
  ext2: 'ro,nosuid,nodev,noexec',
  xfs: 'ro,nosuid,nodev,noexec,norecovery',
  btrfs: 'ro,nosuid,nodev,noexec',
}

/** Reads from a file system; undefined where it is of a kind that isn't mounted. */
export async function looking<T>(
  partition: string,
  { type }: FileSystem,
  look: (folder: string) => Promise<T>,
  how = options[type],
): Promise<T | undefined> {
  if (how === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'look-'))
  try {
    await run('mount', ['-t', type, '-o', how, partition, folder], 60)
    try {
      return await look(folder)
    } finally {
      await run('umount', [folder], 60)
    }
  } finally {
    await rmdir(folder)
  }
}

const places = ['.', 'boot', 'boot/grub', 'boot/grub2', 'grub', 'grub2']

/** Names of what could boot, relative to the file system's root. */
export async function bootCandidates(folder: string): Promise<string[]> {
  const found = await Promise.all(
    places.map(async (place) => {
      const names = await readdir(join(folder, place)).catch((): string[] => [])
      return names.map((name) => join(place, name))
    }),
  )
  return found.flat()
}

/** ID of os-release(5), by which distributions name their folder on an EFI system partition. */
export async function distributionOf(folder: string): Promise<string> {
  for (const file of ['etc/os-release', 'usr/lib/os-release']) {
    const text = await readFile(join(folder, file), 'utf8').catch(() => '')
    const id = /^ID="?([a-z0-9._-]{1,32})"?$/m.exec(text)?.[1]
    if (id !== undefined) return id
  }
  return 'linux'
}

export function unbootable(why: string): CommandFailure {
  return new CommandFailure('BootLoaderError', `no boot loader was installed: ${why}`)
}
