import type { Change, ChangeHandler, Clock, Item, Key, Log } from '../lambdas/platform.ts'
import type { Database } from './database.ts'
import { Worker, type StepResult } from './worker.ts'

const BATCH = 100
/** A change that fails `tries` times alone is set aside. The pause doubles each time: about 25 s in all. */
export interface Patience {
  tries: number
  pauseMs: number
}
export const patience: Patience = { tries: 8, pauseMs: 100 }

interface Row {
  sequence: number
  pk: string
  sk: string
  before: string | null
  after: string | null
}

/** The table's changes in the order of their commits, kept until every consumer that ever subscribed has handled them. */
export class Feed {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Log
  readonly #patience: Patience
  readonly #statements
  readonly #workers = new Set<Worker>()
  #grown = false

  constructor(database: Database, clock: Clock, log: Log, patience: Patience) {
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#patience = patience
    const prepare = (text: string) => database.sql.prepare(text)
    this.#statements = {
      append: prepare('INSERT INTO feed (pk, sk, before, after) VALUES (?, ?, ?, ?)'),
      join: prepare('INSERT OR IGNORE INTO feed_cursor (consumer, sequence) VALUES (?, 0)'),
      cursor: prepare('SELECT sequence FROM feed_cursor WHERE consumer = ?'),
      next: prepare('SELECT * FROM feed WHERE sequence > ? ORDER BY sequence LIMIT ?'),
      move: prepare('UPDATE feed_cursor SET sequence = ? WHERE consumer = ?'),
      trim: prepare('DELETE FROM feed WHERE sequence <= (SELECT min(sequence) FROM feed_cursor)'),
      bury: prepare('INSERT OR IGNORE INTO feed_dead VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    }
    database.onCommit(() => {
      if (this.#grown) for (const worker of this.#workers) worker.wake()
      this.#grown = false
    })
  }

  /** Only inside the transaction that makes the change. */
  append(key: Key, before: string | undefined, after: string | undefined): void {
    this.#grown = true
    this.#statements.append.run(key.pk, key.sk, before ?? null, after ?? null)
  }

  subscribe(consumer: string, handler: ChangeHandler): () => Promise<void> {
    let size = BATCH
    let failures = 0
    let at: number | undefined
    /** Where the next life goes on. Nobody waits for it: what is handled twice does no harm. */
    let moved = Promise.resolve()
    const moveTo = (sequence: number): void => {
      at = sequence
      moved = this.#database
        .commit(() => {
          this.#statements.move.run(sequence, consumer)
          this.#statements.trim.run()
        })
        .catch((error: unknown) => this.#log.error({ consumer, error: String(error) }, 'feed cursor not moved'))
    }
    const step = async (): Promise<StepResult> => {
      at ??= await this.#join(consumer)
      const rows = this.#statements.next.all(at, size) as unknown as Row[]
      const last = rows.at(-1)
      if (!last) return { idle: undefined }
      // Nobody hears of what could still be undone by a power cut.
      await this.#database.durable()
      try {
        await handler(rows.map(toChange))
        ;[size, failures] = [Math.min(size * 2, BATCH), 0]
      } catch (error) {
        failures += 1
        // Smaller batches find the change that fails; those before it go through.
        if (rows.length > 1) {
          size = Math.ceil(rows.length / 2)
          failures = 0
          this.#log.warn({ consumer, changes: rows.length, error: String(error) }, 'changes failed; trying fewer')
          return { rest: this.#patience.pauseMs }
        }
        if (failures < this.#patience.tries) {
          this.#log.warn({ consumer, pk: last.pk, sk: last.sk, failures, error: String(error) }, 'change failed')
          return { rest: this.#patience.pauseMs * 2 ** failures }
        }
        this.#log.error(
          { consumer, pk: last.pk, sk: last.sk, error: String(error) },
          'change set aside in feed_dead after too many failures',
        )
        await this.#bury(consumer, last, error)
        ;[size, failures] = [BATCH, 0]
      }
      moveTo(last.sequence)
      return 'again'
    }
    const worker = new Worker(step, (error) => this.#log.error({ consumer, error: String(error) }, 'feed failed'))
    this.#workers.add(worker)
    return async () => {
      this.#workers.delete(worker)
      await worker.stop()
      await moved
    }
  }

  /** Resolves with the last change that this consumer handled in an earlier life. */
  #join(consumer: string): Promise<number> {
    return this.#database.commit(() => {
      this.#statements.join.run(consumer)
      return (this.#statements.cursor.get(consumer) as { sequence: number }).sequence
    })
  }

  #bury(consumer: string, row: Row, error: unknown): Promise<unknown> {
    const at = this.#clock.now().toISOString()
    return this.#database.commit(() =>
      this.#statements.bury.run(consumer, row.sequence, row.pk, row.sk, row.before, row.after, String(error), at),
    )
  }
}

function toChange(row: Row): Change {
  const item = (body: string | null) => (body === null ? undefined : (JSON.parse(body) as Item))
  return { key: { pk: row.pk, sk: row.sk }, before: item(row.before), after: item(row.after) }
}
