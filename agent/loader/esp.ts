import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../programs.ts'

/** EFI system partitions, by mtools: the kernel's driver never sees a file system that an image brought. */

/** mtools asks when in doubt, and has nobody to ask. */
const quietly = ['-o', '-Q']

export async function makeEsp(partition: string): Promise<void> {
  await run('mkfs.vfat', ['-F', '32', '-n', 'ESP', partition], 120)
}

/** Copies files and folders of a folder into the root of the file system. */
export async function putOn(partition: string, folder: string): Promise<void> {
  const names = (await readdir(folder)).map((name) => join(folder, name))
  if (names.length > 0) await run('mcopy', ['-s', ...quietly, '-i', partition, ...names, '::/'], 300)
}

/** Has all that is on it in a folder for a while. */
export async function withFilesOf<T>(partition: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'esp-'))
  try {
    await run('mcopy', ['-s', ...quietly, '-i', partition, '::/*', folder], 300)
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
