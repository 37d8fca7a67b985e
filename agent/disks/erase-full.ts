import { basename } from 'node:path'
import { CommandFailure } from '../failure.ts'
import { reason, type Log } from '../log.ts'
import { ataSecurity, eraseAta } from './ata.ts'
import type { Disk } from './disk.ts'
import { eraseMetadata, type EraseMeans } from './erase.ts'
import type { EraseOptions } from './erase-options.ts'
import { eraseNvme, nvmeSelfErase } from './nvme.ts'
import { overwrite } from './overwrite.ts'
import { awaitSanitize, nvmeTool, type Sanitizing } from './sanitize.ts'

export interface FullErase {
  options: EraseOptions
  /** From 0 to 1. */
  progress: (done: number) => void
}

/** Nothing that was on the disk can be read again: by the disk's own secure erase where it has one, else each byte is overwritten. */
export async function eraseFully(disk: Disk, means: EraseMeans, { options, progress }: FullErase): Promise<void> {
  const sanitizing = { clock: means.clock, tool: nvmeTool, progress }
  if (isNvme(disk)) await awaitSanitize(disk.name, sanitizing)
  // Also the proof that nobody uses it, before its firmware is let loose.
  await eraseMetadata(disk, means)
  const how = await bySelf(disk, { options, sanitizing, log: means.log })
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
  const self = await nvmeSelfErase(disk.name).catch(() => undefined)
  if (self?.how !== 'cryptographic') return
  await eraseNvme(disk.name, self, { clock: means.clock, tool: nvmeTool, progress: () => {} })
  means.log.info('erased', { disk: disk.name, how: `NVMe ${self.by}, ${self.how}` })
}

interface SelfErasing {
  options: EraseOptions
  sanitizing: Sanitizing
  log: Log
}

/** How the disk erased itself; undefined: it can't. */
async function bySelf(disk: Disk, { options, sanitizing, log }: SelfErasing): Promise<string | undefined> {
  try {
    if (isNvme(disk)) return options.nvme ? await byController(disk, sanitizing) : undefined
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

async function byController(disk: Disk, sanitizing: Sanitizing): Promise<string | undefined> {
  const self = await nvmeSelfErase(disk.name)
  if (self !== undefined) await eraseNvme(disk.name, self, sanitizing)
  return self && `NVMe ${self.by}, ${self.how}`
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
