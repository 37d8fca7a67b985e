import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'
import { hasProgram, run } from '../programs.ts'
import { openDisk, rereadTable, wipeEnds } from './device.ts'
import type { Disk } from './disk.ts'

interface Part {
  path: string
  start: number
  length: number
}

export interface EraseMeans {
  clock: Clock
  log: Log
  sysfs: string
}

/** Makes a disk look blank: no partition tables, no file systems, no boot code, no members of arrays. What lay between
 * is discarded where the disk can, and otherwise left as it is: this erases metadata, not secrets. */
export async function eraseMetadata(disk: Disk, means: EraseMeans): Promise<void> {
  const parts = await partsOf(disk, means.sysfs)
  // First of all, for it fails when the disk is in use; wipefs, told to ignore that we hold it, would not.
  const handle = await openDisk(disk.name)
  try {
    // Some signatures lie elsewhere: btrfs has copies at 64 MiB and 256 GiB.
    if (await hasProgram('wipefs'))
      for (const path of [...parts.map((part) => part.path), disk.name])
        await run('wipefs', ['--all', '--force', path], 120)
    for (const { start, length } of parts) await wipeEnds(handle, start, length)
    await wipeEnds(handle, 0, disk.size)
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (disk.discards) await discard(disk, means.log)
  await rereadTable(disk.name, means.clock)
  means.log.info('metadata erased', { disk: disk.name, partitions: parts.length })
}

async function discard(disk: Disk, log: Log): Promise<void> {
  try {
    await run('blkdiscard', ['--force', disk.name], 300)
  } catch (error) {
    // A courtesy to the disk; the metadata is gone already.
    log.warn('discard failed', { disk: disk.name, because: reason(error) })
  }
}

/** As the kernel sees them. */
export async function partsOf(disk: Disk, sysfs: string): Promise<Part[]> {
  const name = basename(disk.name)
  const folder = join(sysfs, 'block', name)
  const names = (await readdir(folder)).filter((each) => each.startsWith(name))
  const number = async (part: string, file: string) => Number(await readFile(join(folder, part, file), 'utf8')) * 512
  const parts = await Promise.all(
    names.map(async (part) => ({
      path: join(dirname(disk.name), part),
      start: await number(part, 'start'),
      length: await number(part, 'size'),
    })),
  )
  return parts.filter(({ start, length }) => length > 0 && start + length <= disk.size)
}
