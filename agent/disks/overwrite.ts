import { createCipheriv, randomBytes } from 'node:crypto'
import { openDisk, writeAt } from './device.ts'
import { MiB, type Disk } from './disk.ts'

const BLOCK = 4 * MiB
/** What may wait in memory for the disk. */
const SYNC_EVERY = 256 * MiB

export interface Passes {
  /** Passes of noise that nobody can tell from what was there. */
  iterations: number
  /** And one of zeros. */
  zeroize: boolean
}

/** Writes every byte of a disk that nothing else uses, once or more. `progress`: from 0 to 1. */
export async function overwrite(
  disk: Pick<Disk, 'name' | 'size'>,
  { iterations, zeroize }: Passes,
  progress: (done: number) => void,
): Promise<void> {
  const passes = [...Array.from({ length: iterations }, noise), ...(zeroize ? [() => ZEROS] : [])]
  const handle = await openDisk(disk.name)
  try {
    for (const [index, bytes] of passes.entries()) {
      for (let offset = 0; offset < disk.size; offset += BLOCK) {
        await writeAt(handle, offset, bytes().subarray(0, disk.size - offset))
        if ((offset + BLOCK) % SYNC_EVERY === 0) await handle.datasync()
        progress((index + Math.min(1, (offset + BLOCK) / disk.size)) / passes.length)
      }
      await handle.datasync()
    }
  } finally {
    await handle.close()
  }
}

const ZEROS = Buffer.alloc(BLOCK)

/** A key stream (AES-256-CTR) is noise at the speed of the processor's AES. */
function noise(): () => Buffer {
  const cipher = createCipheriv('aes-256-ctr', randomBytes(32), randomBytes(16))
  return () => cipher.update(ZEROS)
}
