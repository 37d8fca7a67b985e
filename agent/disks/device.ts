import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import { CommandFailure } from '../failure.ts'
import { run } from '../programs.ts'
import { MiB } from './disk.ts'

/** Opens a disk that nothing else uses: O_EXCL on a block device fails while it or a part of it is mounted, or of an array. `shared`: that
 * is known, and borne. */
export async function openDisk(path: string, shared = false): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | (shared ? 0 : constants.O_EXCL))
  } catch (cause) {
    throw new CommandFailure('BlockDeviceError', `${path} cannot be opened for itself alone`, { cause })
  }
}

export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new CommandFailure('BlockDeviceError', `the disk ends before byte ${offset + length}`)
    done += bytesRead
  }
  return bytes
}

export async function writeAt(handle: FileHandle, offset: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}

/** /dev/sda and 1 make /dev/sda1; names that end in a digit need a p between. */
export function partitionPath(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`
}

/** Zeroes where tables, superblocks and boot code live: the first and the last MiB of an extent. */
export async function wipeEnds(handle: FileHandle, start: number, length: number): Promise<void> {
  const span = Buffer.alloc(Math.min(MiB, length))
  await writeAt(handle, start, span)
  await writeAt(handle, start + length - span.length, span)
}

/** Shows the kernel a table that was just written. A kernel may lack a parser for it; partx brings its own. */
export async function showTable(path: string, clock: Clock): Promise<void> {
  await rereadTable(path, clock)
  await run('partx', ['--update', path], 30)
}

const attempts = 5

/** Has the kernel look at the partition table again. It cannot while somebody, such as udev, still probes the disk. */
export async function rereadTable(path: string, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run('blockdev', ['--rereadpt', path], 30)
      return
    } catch (error) {
      if (attempt === attempts) throw error
      await clock.sleep(attempt * 500)
    }
  }
}
