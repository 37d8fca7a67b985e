import { basename } from 'node:path'
import { CommandFailure } from '../failure.ts'
import { reason, type Log } from '../log.ts'
import { ataSecurity, eraseAta } from './ata.ts'
import type { Disk } from './disk.ts'
import { eraseMetadata, type EraseMeans } from './erase.ts'
import type { EraseOptions } from './erase-options.ts'
import { formatNvme, nvmeSecureErase } from './nvme.ts'
import { overwrite } from './overwrite.ts'

export interface FullErase {
  options: EraseOptions
  /** From 0 to 1. */
  progress: (done: number) => void
}

/** Nothing that was on the disk can be read again: by the disk's own secure erase where it has one, else each byte is overwritten. */
export async function eraseFully(disk: Disk, means: EraseMeans, { options, progress }: FullErase): Promise<void> {
  // Also the proof that nobody uses it, before its firmware is let loose.
  await eraseMetadata(disk, means)
  const how = await bySelf(disk, options, means.log)
  if (how === undefined) {
    if (options.iterations === 0 && !options.zeroize)
      throw new CommandFailure(
        'BlockDeviceEraseError',
        `${disk.name} can't erase itself, and no pass over it is asked for`,
      )
    await overwrite(disk, options, progress)
  }
  progress(1)
  means.log.info('erased', { disk: disk.name, how: how ?? 'overwritten' })
}

/** Seconds, not hours: a disk that can forget its key does; of the others the metadata goes. */
export async function eraseExpress(disk: Disk, means: EraseMeans): Promise<void> {
  await eraseMetadata(disk, means)
  if (!isNvme(disk)) return
  const how = await nvmeSecureErase(disk.name).catch(() => undefined)
  if (how !== 'cryptographic') return
  await formatNvme(disk.name, how)
  means.log.info('erased', { disk: disk.name, how })
}

/** How the disk erased itself; undefined: it can't. */
async function bySelf(disk: Disk, options: EraseOptions, log: Log): Promise<string | undefined> {
  try {
    if (isNvme(disk)) return options.nvme ? await byFormat(disk) : undefined
    return options.ata ? await bySecurity(disk) : undefined
  } catch (error) {
    if (!options.continueAfterRefusal)
      throw new CommandFailure(
        'BlockDeviceEraseError',
        `${disk.name} failed to erase itself (${reason(error)}); agent_continue_if_secure_erase_failed would have it overwritten`,
        { cause: error },
      )
    log.warn('secure erase failed, overwriting instead', { disk: disk.name, because: reason(error) })
    return undefined
  }
}

async function byFormat(disk: Disk): Promise<string | undefined> {
  const how = await nvmeSecureErase(disk.name)
  if (how !== undefined) await formatNvme(disk.name, how)
  return how && `NVMe format, ${how}`
}

async function bySecurity(disk: Disk): Promise<string | undefined> {
  const security = await ataSecurity(disk.name)
  if (security === undefined) return undefined
  await eraseAta(disk.name, security)
  return 'ATA secure erase'
}

function isNvme({ name }: Disk): boolean {
  return basename(name).startsWith('nvme')
}
