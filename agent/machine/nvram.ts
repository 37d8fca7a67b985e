import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailure } from '../failure.ts'
import type { Log } from '../log.ts'
import { run } from '../programs.ts'
import { bootRecords, recordsToDelete } from './boot-records.ts'
import { isUefi } from './efi.ts'

/** Removes what systems of before have left in the firmware's memory: boot entries that lead to disks, or those that match. */
export async function cleanBootRecords(patterns: readonly RegExp[] | undefined, log: Log): Promise<string> {
  if (!(await isUefi())) return 'booted by BIOS: there are no boot entries'
  const records = bootRecords((await run('efibootmgr', ['-v'], 60)).toString('utf8'))
  const chosen = recordsToDelete(records, patterns)
  for (const { id, label } of chosen) {
    await run('efibootmgr', ['-b', id, '-B'], 60)
    log.info('boot entry removed', { id, label })
  }
  return `${chosen.length} of ${records.length} boot entries removed`
}

/** Kernels that crashed keep their last words in the firmware's memory (Documentation/admin-guide/pstore-blk.rst), until it is full. */
export async function erasePstore(log: Log, folder = '/sys/fs/pstore'): Promise<string> {
  await run('mount', ['-t', 'pstore', 'pstore', folder], 30).catch(() => undefined)
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    // Each is a file of the kernel's, which erases the record when it is unlinked.
    await rm(join(folder, name)).catch((cause: unknown) => {
      throw new CommandFailure('CommandExecutionError', `${name} in ${folder} can't be erased`, { cause })
    })
    log.info('crash record erased', { name })
  }
  return `${names.length} crash records erased`
}
