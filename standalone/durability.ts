import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'

/** A file to be synced; tests hand in their own. */
export interface Disk {
  sync(done: (error: Error | null) => void): void
  syncNow(): void
  close(): void
}

/** SQLite's write-ahead log. Commits append to it in order, so that a sync makes every commit before it durable: what SQLite does itself
 * under synchronous=FULL, but there the thread that answers requests waits for the disk. SQLite locks the database and its -shm file,
 * never this one, so that another descriptor of it may be closed at any time (POSIX would drop the locks). */
export function walOf(path: string): Disk {
  const fd = openSync(`${path}-wal`, 'r')
  return { sync: (done) => fdatasync(fd, done), syncNow: () => fdatasyncSync(fd), close: () => closeSync(fd) }
}

type Told = (failure: Error | undefined) => void

/** Tells when what was committed is on disk. One sync at a time; those who come while it runs share the next. */
export class Durability {
  readonly #open: () => Disk
  #disk: Disk | undefined
  /** For the sync that runs, if one does. */
  #current: Told[] | undefined
  /** For the next one. */
  #waiting: Told[] = []
  #closed = false
  #failure: Error | undefined

  constructor(open: () => Disk) {
    this.#open = open
  }

  /** Something was just committed. `told` when it is on disk, or can't be. */
  committed(told: Told): void {
    this.#waiting.push(told)
    this.#sync()
  }

  /** Undefined: all that is committed is on disk. Else resolves when it is. */
  pending(): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure)
    const awaited = this.#waiting.length > 0 ? this.#waiting : this.#current
    return (
      awaited && new Promise((resolve, reject) => awaited.push((failure) => (failure ? reject(failure) : resolve())))
    )
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#current) this.#disk?.syncNow()
    else this.#disk?.close()
    this.#tell(this.#waiting.splice(0))
  }

  #sync(): void {
    if (this.#failure) this.#tell(this.#waiting.splice(0))
    if (this.#current || this.#closed || this.#waiting.length === 0) return
    this.#current = this.#waiting
    this.#waiting = []
    this.#disk ??= this.#open()
    const disk = this.#disk
    disk.sync((error) => {
      // After a failed sync nobody knows what the disk has (the kernel may have dropped what it could not write): nothing is answered any more.
      if (error) this.#failure ??= new Error('the database could not be synced to disk; restart', { cause: error })
      const told = this.#current ?? []
      this.#current = undefined
      this.#tell(told)
      if (this.#closed) disk.close()
      else this.#sync()
    })
  }

  #tell(waiting: Told[]): void {
    for (const told of waiting) told(this.#failure)
  }
}
