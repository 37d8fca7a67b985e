import { DatabaseSync } from 'node:sqlite'
import { type Disk, Durability, walOf } from './durability.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS item (
    pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, expires INTEGER,
    PRIMARY KEY (pk, sk)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS item_expires ON item (expires) WHERE expires IS NOT NULL;
  CREATE TABLE IF NOT EXISTS item_index (
    name TEXT NOT NULL, pk TEXT NOT NULL, sk TEXT NOT NULL, item_pk TEXT NOT NULL, item_sk TEXT NOT NULL,
    PRIMARY KEY (name, pk, sk, item_pk, item_sk)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS brief (
    at TEXT NOT NULL, item_pk TEXT NOT NULL, item_sk TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (at, item_pk, item_sk)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS feed (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, pk TEXT NOT NULL, sk TEXT NOT NULL, before TEXT, after TEXT);
  CREATE TABLE IF NOT EXISTS feed_cursor (consumer TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS feed_dead (
    consumer TEXT NOT NULL, sequence INTEGER NOT NULL, pk TEXT NOT NULL, sk TEXT NOT NULL, before TEXT, after TEXT,
    error TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (consumer, sequence)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT NOT NULL, visible_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS message_visible ON message (queue, visible_at);
  CREATE TABLE IF NOT EXISTS message_dead (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, tries INTEGER NOT NULL, at TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS blob (
    key TEXT PRIMARY KEY, file TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
`

/** A database in memory is as durable as it gets. */
const none: Disk = { sync: (done) => done(null), syncNow() {}, close() {} }

interface Pending {
  run: () => void
  resolve: () => void
  reject: (error: unknown) => void
}

/** Taken when this file loads, so that tests that replace the timers don't stop commits. */
const soon = setImmediate

/** One SQLite file with group commit. Writes that arrive together are one commit, and commits that arrive while the disk is being synced
 * share the next sync. A write that was answered is on disk. What is read may not be there for some moments yet: whoever tells it to
 * somebody outside waits for `durable` first. */
export class Database {
  readonly sql: DatabaseSync
  readonly #durability: Durability
  readonly #begin
  readonly #end
  readonly #mark
  readonly #keep
  #pending: Pending[] = []
  #closed = false
  #afterCommit: Array<() => void> = []

  constructor(path: string, disk: () => Disk = () => (path === ':memory:' ? none : walOf(path))) {
    this.sql = opened(path)
    this.#begin = this.sql.prepare('BEGIN IMMEDIATE')
    this.#end = this.sql.prepare('COMMIT')
    this.#mark = this.sql.prepare('SAVEPOINT one')
    this.#keep = this.sql.prepare('RELEASE one')
    this.#durability = new Durability(disk)
  }

  /** Runs `work` in a transaction of its own as far as it can tell: when it throws, only its writes are undone. Resolves when durable. */
  commit<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'))
    return new Promise<T>((resolve, reject) => {
      let result: T
      if (this.#pending.length === 0) soon(() => this.#flush())
      this.#pending.push({ run: () => (result = work()), resolve: () => resolve(result), reject })
    })
  }

  /** Undefined: all that can be read by now is on disk. Else resolves when it is. */
  durable(): Promise<void> | undefined {
    return this.#durability.pending()
  }

  /** What was written can be read; it may not be durable yet. */
  onCommit(listener: () => void): void {
    this.#afterCommit.push(listener)
  }

  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#closed = true
    this.#durability.close()
    this.sql.close()
  }

  #flush(): void {
    const batch = this.#pending
    this.#pending = []
    if (batch.length === 0) return
    let done: Pending[] = []
    try {
      this.#begin.run()
      done = batch.filter((each) => this.#attempt(each))
      this.#end.run()
    } catch (error) {
      if (this.sql.isTransaction) this.sql.exec('ROLLBACK')
      for (const each of batch) each.reject(error)
      return
    }
    if (done.length === 0) return
    this.#durability.committed((error) => {
      for (const { resolve, reject } of done) {
        if (error) reject(error)
        else resolve()
      }
    })
    for (const listener of this.#afterCommit) listener()
  }

  #attempt(each: Pending): boolean {
    this.#mark.run()
    try {
      each.run()
      this.#keep.run()
      return true
    } catch (error) {
      this.sql.exec('ROLLBACK TO one; RELEASE one')
      each.reject(error)
      return false
    }
  }
}

function opened(path: string): DatabaseSync {
  const sql = new DatabaseSync(path)
  try {
    // NORMAL: the log is synced here (see Durability), and by SQLite itself around checkpoints.
    sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;')
    sql.exec(schema)
  } catch (cause) {
    sql.close()
    throw new Error(`the database ${path} can't be used: is the disk full? A damaged one is restored from a backup`, {
      cause,
    })
  }
  return sql
}
