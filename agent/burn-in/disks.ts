import type { Clock } from '../clock.ts'
import { openDisk, readAt, writeAt } from '../disks/device.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { CommandFailure } from '../failure.ts'
import { noise } from './noise.ts'

const BLOCK = 4 * MiB
/** What may wait in memory for the disk. */
const SYNC_EVERY = 256 * MiB

export interface DiskBurnIn {
  loops: number
  /** 0: until all loops are done. */
  seconds: number
}

/** Writes every byte of a disk and reads it again, loop after loop. What was on it is lost. `progress`: from 0 to 1. */
export async function burnDisk(
  disk: Pick<Disk, 'name' | 'size'>,
  { loops, seconds }: DiskBurnIn,
  clock: Clock,
  progress: (done: number) => void,
): Promise<void> {
  const until = seconds === 0 ? Infinity : clock.now() + seconds * 1000
  const handle = await openDisk(disk.name)
  try {
    for (let loop = 0; loop < loops && clock.now() < until; loop += 1) {
      const [written, expected] = [noise(loop + 1), noise(loop + 1)]
      const told = (part: number): void => progress((loop + part) / loops)
      let end = 0
      for (; end < disk.size && clock.now() < until; end += BLOCK) {
        await writeAt(handle, end, written(Math.min(BLOCK, disk.size - end)))
        if ((end + BLOCK) % SYNC_EVERY === 0) await handle.datasync()
        told(end / disk.size / 2)
      }
      await handle.datasync()
      for (let at = 0; at < Math.min(end, disk.size); at += BLOCK) {
        const length = Math.min(BLOCK, disk.size - at)
        if (!(await readAt(handle, at, length)).equals(expected(length)))
          throw new CommandFailure(
            'BurnInError',
            `${disk.name}: loop ${loop + 1} read other bytes at ${at} than it wrote`,
          )
        told(0.5 + at / disk.size / 2)
      }
    }
  } finally {
    await handle.close()
  }
}
