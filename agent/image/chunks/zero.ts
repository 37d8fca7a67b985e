import { writeAt } from '../../disks/device.ts'
import { MiB } from '../../disks/disk.ts'
import { run } from '../../programs.ts'
import type { Target } from '../write.ts'

const ZEROS = Buffer.alloc(4 * MiB)
/** Less than this is sooner written than a program is started. */
const WORTH_ASKING = 16 * MiB
const SECONDS_PER_GIB = 120

/** Where the image has nothing, the disk must not keep what it had. The kernel has the drive do it (BLKZEROOUT: it may just unmap), and writes
 * zeros itself where the drive can't. */
export async function zero(target: Target, offset: number, length: number): Promise<void> {
  if (length >= WORTH_ASKING && (await asked(target, offset, length))) return
  for (let at = 0; at < length; at += ZEROS.length)
    await writeAt(target.handle, offset + at, ZEROS.subarray(0, Math.min(ZEROS.length, length - at)))
}

async function asked({ name }: Target, offset: number, length: number): Promise<boolean> {
  const seconds = 60 + (length / (1024 * MiB)) * SECONDS_PER_GIB
  const place = ['--offset', String(offset), '--length', String(length - (length % 4096))]
  // --force: we hold the disk ourselves.
  return run('blkdiscard', ['--force', '--zeroout', ...place, name], seconds).then(
    () => length % 4096 === 0,
    () => false,
  )
}
