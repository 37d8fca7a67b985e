import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'

/** Keeps a second process off the data directory. The kernel drops the lock with the process, however it ends, so none is ever stale. */
export function lockDirectory(dir: string): () => void {
  const file = new DatabaseSync(join(dir, 'lock'))
  try {
    file.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    file.close()
    throw new Error(`${dir} is in use by another bloomery process: stop that one, or choose another --data-dir`, {
      cause,
    })
  }
  return () => file.close()
}
