import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'

const SQLITE_BUSY = 5

/** Keeps a second process off the data directory. The kernel drops the lock with the process, however it ends, so none is ever stale. */
export function lockDirectory(dir: string): () => void {
  const file = new DatabaseSync(join(dir, 'lock'))
  try {
    file.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    file.close()
    const remedy = 'stop that one, or choose another --data-dir'
    throw (cause as { errcode?: number }).errcode === SQLITE_BUSY
      ? new Error(`${dir} is in use by another bloomery process: ${remedy}`, { cause })
      : new Error(`${join(dir, 'lock')} can't be locked: is the disk full, or not local?`, { cause })
  }
  return () => file.close()
}
