import { writeAt } from '../../disks/device.ts'
import { MiB } from '../../disks/disk.ts'
import { CommandFailure } from '../../failure.ts'
import { libc } from '../../native/libc.ts'
import { run } from '../../programs.ts'
import type { Target } from '../write.ts'

const ZEROS = Buffer.alloc(4 * MiB)
/** Less than this is sooner written than asked for. */
const WORTH_ASKING = 16 * MiB
/** Of every sector in use. */
const WHOLE = 4096
const SECONDS_PER_GIB = 120

/** Where the image has nothing, the disk must not keep what it had. The kernel has the drive do it (it may just unmap), and writes zeros itself where the
 * drive can't. */
export async function zero(target: Target, offset: number, length: number): Promise<void> {
  const whole = length - (length % WHOLE)
  const done = length >= WORTH_ASKING && (await asked(target, offset, whole)) ? whole : 0
  for (let at = done; at < length; at += ZEROS.length)
    await writeAt(target.handle, offset + at, ZEROS.subarray(0, Math.min(ZEROS.length, length - at)))
}

async function asked(target: Target, offset: number, length: number): Promise<boolean> {
  const seconds = 60 + (length / (1024 * MiB)) * SECONDS_PER_GIB
  return (await byCall(target, offset, length, seconds)) || (await byProgram(target, offset, length, seconds))
}

async function byCall({ handle, name }: Target, offset: number, length: number, seconds: number): Promise<boolean> {
  const zeroed = libc()?.zeroRange(handle.fd, offset, length)
  if (!zeroed) return false
  const late = Promise.withResolvers<never>()
  const why = `${name} has not made ${length} bytes from ${offset} on zeros in ${Math.round(seconds)} s`
  const timer = setTimeout(() => late.reject(new CommandFailure('ImageWriteError', why)), seconds * 1000)
  return Promise.race([zeroed, late.promise]).finally(() => clearTimeout(timer))
}

/** Where this program has no words for the call. */
function byProgram({ name }: Target, offset: number, length: number, seconds: number): Promise<boolean> {
  const place = ['--offset', String(offset), '--length', String(length)]
  // --force: we hold the disk ourselves.
  return run('blkdiscard', ['--force', '--zeroout', ...place, name], seconds).then(
    () => true,
    () => false,
  )
}
