import { closeSync, fdatasync, openSync } from 'node:fs'

/** Puts what was appended to a file on disk, beside the thread that goes on; several who wait share a sync. */
export interface Disk {
  /** Something was appended. */
  appended(): void
  /** Undefined: all is on disk. Else resolves when all that is appended by now is. */
  durable(): Promise<void> | undefined
  /** Why nothing is certain any more: after a failed sync nobody knows what the disk has. */
  failure(): Error | undefined
  close(): void
}

export function openDisk(path: string): Disk {
  let fd: number | undefined
  let closed = false
  let failed: Error | undefined
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined

  const sync = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (closed || failed) return failed ? reject(failed) : resolve()
      fd ??= openSync(path, 'r')
      const file = fd
      fdatasync(file, (error) => {
        if (error) failed ??= new Error(`${path} could not be synced to disk; restart`, { cause: error })
        current = undefined
        if (closed) closeSync(file)
        return failed ? reject(failed) : resolve()
      })
    })
  const begin = (): void => {
    next = undefined
    current = sync()
    current.catch(() => {}) // whoever waits hears of it
  }
  return {
    appended() {
      if (next) return
      if (!current) return begin()
      next = current.then(() => {
        begin()
        return current
      })
      next.catch(() => {})
    },
    durable: () => (failed ? Promise.reject(failed) : (next ?? current)),
    failure: () => failed,
    close() {
      if (closed) return
      closed = true
      if (fd !== undefined && !current) closeSync(fd)
    },
  }
}
