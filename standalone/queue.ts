import type { Clock, Log, Queue, QueueHandler } from '../lambdas/platform.ts'
import type { Database } from './database.ts'
import { Worker, type StepResult } from './worker.ts'

const BATCH = 50

export interface QueueOptions {
  database: Database
  name: string
  clock: Clock
  log: Log
  /** How long a handler may hold a message before it counts as lost. */
  leaseMs?: number
  /** Doubles at each failure of the same message. */
  pauseMs?: number
  /** Then the message is set aside in `message_dead`. */
  tries?: number
}

interface Row {
  id: number
  body: string
  tries: number
}

/** A durable queue in the table's database. What `send` resolved for is on disk. */
export class SqliteQueue implements Queue {
  readonly #options: Required<QueueOptions>
  readonly #statements
  readonly #workers = new Set<Worker>()
  /** Handled, and not yet removed or given another time. */
  readonly #settling = new Set<number>()
  #settled: Promise<unknown> = Promise.resolve()

  constructor(options: QueueOptions) {
    this.#options = { leaseMs: 60_000, pauseMs: 200, tries: 10, ...options }
    const prepare = (text: string) => options.database.sql.prepare(text)
    this.#statements = {
      send: prepare('INSERT INTO message (queue, body, visible_at) VALUES (?, ?, ?)'),
      unlease: prepare('UPDATE message SET visible_at = 0 WHERE queue = ?'),
      visible: prepare('SELECT id, body, tries FROM message WHERE queue = ? AND visible_at <= ? ORDER BY id LIMIT ?'),
      soonest: prepare('SELECT min(visible_at) AS at FROM message WHERE queue = ?'),
      lease: prepare('UPDATE message SET visible_at = ?, tries = tries + 1 WHERE id = ?'),
      later: prepare('UPDATE message SET visible_at = ? WHERE id = ?'),
      remove: prepare('DELETE FROM message WHERE id = ?'),
      bury: prepare('INSERT INTO message_dead SELECT id, queue, body, tries, ? FROM message WHERE id = ?'),
    }
  }

  async send(body: string): Promise<void> {
    const { database, name } = this.#options
    await database.commit(() => this.#statements.send.run(name, body, this.#now()))
    this.#wake()
  }

  #wake(): void {
    for (const worker of this.#workers) worker.wake()
  }

  /** Hands messages to `handler`, oldest first, until the result is called. One consumer at a time. */
  consume(handler: QueueHandler): () => Promise<void> {
    const { database, log, name } = this.#options
    // A lease of before is the lease of a process that died: no other can have this database open.
    const ready = database.commit(() => this.#statements.unlease.run(name))
    const worker = new Worker(
      async () => {
        await ready
        return this.#step(handler)
      },
      (error) => log.error({ queue: name, error: String(error) }, 'queue failed'),
    )
    this.#workers.add(worker)
    return async () => {
      this.#workers.delete(worker)
      await worker.stop()
      await this.#settled
    }
  }

  async #step(handler: QueueHandler): Promise<StepResult> {
    const { database, name, leaseMs, log } = this.#options
    const visible = this.#statements.visible.all(name, this.#now(), BATCH + this.#settling.size) as unknown as Row[]
    const rows = visible.filter(({ id }) => !this.#settling.has(id))
    if (rows.length === 0) {
      const { at } = this.#statements.soonest.get(name) as { at: number | null }
      return { idle: at === null ? undefined : Math.max(at - this.#now(), 1) }
    }
    // Commits are in order: what the handler writes is not on disk before the lease is.
    const leased = database.commit(() => {
      for (const row of rows) this.#statements.lease.run(this.#now() + leaseMs, row.id)
    })
    const [, failed] = await Promise.all([
      leased,
      within(leaseMs, handler(rows.map((row) => row.body))).catch((error: unknown) => {
        log.warn({ queue: name, error: String(error) }, 'messages failed')
        return rows.map((_, index) => index)
      }),
    ])
    // The next messages need not wait for this: a message that was handled and comes again does no harm.
    for (const { id } of rows) this.#settling.add(id)
    this.#settled = database
      .commit(() => {
        for (const [index, row] of rows.entries()) this.#settle(row, failed.includes(index))
      })
      .catch((error: unknown) => log.error({ queue: name, error: String(error) }, 'messages not settled'))
      .finally(() => {
        for (const { id } of rows) this.#settling.delete(id)
        if (failed.length > 0) this.#wake()
      })
    return 'again'
  }

  #settle(row: Row, failed: boolean): void {
    const { name, log, pauseMs, tries, clock } = this.#options
    const times = row.tries + 1
    if (failed && times < tries) {
      this.#statements.later.run(this.#now() + pauseMs * 2 ** row.tries, row.id)
      return
    }
    if (failed) {
      this.#statements.bury.run(clock.now().toISOString(), row.id)
      log.error({ queue: name, message: row.id, tries: times }, 'message set aside in message_dead')
    }
    this.#statements.remove.run(row.id)
  }

  #now(): number {
    return this.#options.clock.now().getTime()
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the handler took longer than its lease of ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
