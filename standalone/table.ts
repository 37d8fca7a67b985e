import type { StatementSync } from 'node:sqlite'
import { afterCount, ConflictError, indexes, keyOf } from '../lambdas/platform.ts'
import type {
  BriefPage,
  Change,
  ChangeHandler,
  Clock,
  Expectation,
  IndexName,
  Item,
  Key,
  Log,
  Page,
  Query,
  Table,
  Write,
} from '../lambdas/platform.ts'
import { Database } from './database.ts'
import { Feed, patience, type Patience } from './feed.ts'
import { briefSql, querySql } from './query-sql.ts'

/** As DynamoDB has it, so that code which runs here runs there. */
const WRITE_LIMIT = 100
const ITEM_LIMIT = 350 * 1024
const KEY_LIMIT = 1024
/** Items that were read a moment ago and may be about to be written. */
const RECENT = 128
const RECENT_LENGTH = 16 * 1024

const silent: Log = { info() {}, warn() {}, error() {} }

export interface TableOptions {
  path: string
  clock: Clock
  log?: Log
  patience?: Patience
  /** Whether the change feed tells of this change; absent: of every one. */
  tells?: (change: Change) => boolean
}

export function openTable(options: TableOptions): SqliteTable {
  return new SqliteTable(new Database(options.path), options)
}

interface BriefRow {
  sk: string
  item_pk: string
  item_sk: string
  brief: string | null
}

interface Stored {
  item: Item
  /** As it is in the file. */
  body: string
}

/** The table and its change feed: each write and its changes are one transaction, so the feed can serve as outbox. */
export class SqliteTable implements Table {
  readonly database: Database
  readonly #clock: Clock
  readonly #feed: Feed
  readonly #statements
  readonly #tells: (change: Change) => boolean
  readonly #recent = new Map<string, Stored>()
  readonly #queries = new Map<string, StatementSync>()

  constructor(database: Database, options: Omit<TableOptions, 'path'>) {
    this.database = database
    this.#clock = options.clock
    this.#tells = options.tells ?? (() => true)
    this.#feed = new Feed(database, options.clock, options.log ?? silent, options.patience ?? patience)
    const prepare = (text: string) => database.sql.prepare(text)
    this.#statements = {
      get: prepare('SELECT body FROM item WHERE pk = ? AND sk = ?'),
      put: prepare('INSERT OR REPLACE INTO item (pk, sk, version, body, expires) VALUES (?, ?, ?, ?, ?)'),
      delete: prepare('DELETE FROM item WHERE pk = ? AND sk = ?'),
      index: prepare('INSERT INTO item_index (name, pk, sk, item_pk, item_sk) VALUES (?, ?, ?, ?, ?)'),
      unindex: prepare('DELETE FROM item_index WHERE name = ? AND pk = ? AND sk = ? AND item_pk = ? AND item_sk = ?'),
      saveBrief: prepare(
        'INSERT INTO brief (at, item_pk, item_sk, body) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body WHERE body <> excluded.body',
      ),
      dropBrief: prepare('DELETE FROM brief WHERE at = ? AND item_pk = ? AND item_sk = ?'),
      expired: prepare('SELECT pk, sk FROM item WHERE expires < ? LIMIT 1000'),
    }
  }

  get(key: Key): Promise<Item | undefined> {
    const stored = this.#read(key)
    if (stored && stored.body.length < RECENT_LENGTH) {
      if (this.#recent.size >= RECENT) this.#recent.clear()
      this.#recent.set(nameOf(key), stored)
    }
    return Promise.resolve(stored?.item)
  }

  query(query: Query): Promise<Page> {
    const { text, values } = querySql(query)
    const rows = this.#prepared(text).all(...values) as Array<{ body: string }>
    const items = rows.slice(0, query.limit).map((row) => JSON.parse(row.body) as Item)
    const last = items.at(-1)
    return Promise.resolve({ items, next: rows.length > query.limit && last ? position(last, query.index) : undefined })
  }

  briefs(query: Query & { index: IndexName }): Promise<BriefPage> {
    const { text, values } = briefSql(query)
    const rows = this.#prepared(text).all(...values) as unknown as BriefRow[]
    const shown = rows.length > query.limit ? rows.slice(0, query.limit) : rows
    const last = rows.length > query.limit ? shown.at(-1) : undefined
    // Parsed at once, which costs half of each by itself.
    const briefs = JSON.parse(`[${shown.map(({ brief }) => brief ?? 'null').join(',')}]`) as unknown[]
    return Promise.resolve({
      values: shown.flatMap((row, at) => {
        if (row.brief !== null) return [briefs[at]]
        const item = this.#read({ pk: row.item_pk, sk: row.item_sk })?.item
        return item ? [item.value] : []
      }),
      next: last && { key: { pk: last.item_pk, sk: last.item_sk }, at: { pk: query.pk, sk: last.sk } },
    })
  }

  async write(writes: Write[]): Promise<void> {
    const bodies = checked(writes)
    await this.database.commit(() => this.#apply(writes, bodies))
  }

  /** Calls `handler` with every change after the last that `consumer` handled, in order, at least once. The result stops it. */
  subscribe(consumer: string, handler: ChangeHandler): () => Promise<void> {
    return this.#feed.subscribe(consumer, handler)
  }

  /** Drops items whose time is over; the feed tells of them as of any deletion. Resolves with their number. */
  async sweep(): Promise<number> {
    const now = Math.floor(this.#clock.now().getTime() / 1000)
    return this.database.commit(() => {
      const keys = this.#statements.expired.all(now) as unknown as Key[]
      for (const key of keys) this.#replace(key, this.#read(key), undefined)
      return keys.length
    })
  }

  close(): void {
    this.database.close()
  }

  /** There are few shapes of query, and each is worth keeping. */
  #prepared(text: string): StatementSync {
    const known = this.#queries.get(text) ?? this.database.sql.prepare(text)
    this.#queries.set(text, known)
    return known
  }

  #read({ pk, sk }: Key): Stored | undefined {
    const row = this.#statements.get.get(pk, sk) as { body: string } | undefined
    return row && { item: JSON.parse(row.body) as Item, body: row.body }
  }

  /** Who writes has mostly just read: the same text need not be parsed again. */
  #readAgain(key: Key): Stored | undefined {
    const row = this.#statements.get.get(key.pk, key.sk) as { body: string } | undefined
    const known = this.#recent.get(nameOf(key))
    return row && (known?.body === row.body ? known : { item: JSON.parse(row.body) as Item, body: row.body })
  }

  #apply(writes: Write[], bodies: Array<string | undefined>): void {
    const before = writes.map((write) => this.#readAgain(keyOf(write)))
    for (const [index, write] of writes.entries()) {
      const current = before[index]?.item
      if (!holds(write.expect, current)) throw new ConflictError(index, current)
    }
    for (const [index, write] of writes.entries()) {
      if ('check' in write) continue
      if ('count' in write) {
        const item = afterCount(write.count, before[index]?.item, write.by)
        this.#replace(write.count, before[index], { item, body: bodyOf(item) })
        continue
      }
      const [item, body] = 'put' in write ? [write.put, bodies[index]] : []
      this.#replace(keyOf(write), before[index], item && body !== undefined ? { item, body } : undefined)
    }
  }

  #replace(key: Key, was: Stored | undefined, is: Stored | undefined): void {
    if (!was && !is) return
    const [before, after] = [was?.item, is?.item]
    // Most changes leave an item in the lists that it is in.
    for (const name of indexes) {
      const from = before?.by?.[name]
      const to = after?.by?.[name]
      if (from?.pk === to?.pk && from?.sk === to?.sk) continue
      if (from) this.#statements.unindex.run(name, from.pk, from.sk, key.pk, key.sk)
      if (to) this.#statements.index.run(name, to.pk, to.sk, key.pk, key.sk)
    }
    this.#keepBrief(key, before, after)
    if (is) this.#statements.put.run(key.pk, key.sk, is.item.version, is.body, is.item.expires ?? null)
    else this.#statements.delete.run(key.pk, key.sk)
    if (this.#tells({ key, before, after })) this.#feed.append(key, was?.body, is?.body)
  }

  /** Beside each other stand those that lists show beside each other. Most changes leave a brief as it is. */
  #keepBrief(key: Key, before: Item | undefined, after: Item | undefined): void {
    const from = before?.by?.all?.sk
    const to = after?.brief === undefined ? undefined : after.by?.all?.sk
    if (from !== undefined && from !== to) this.#statements.dropBrief.run(from, key.pk, key.sk)
    if (to !== undefined) this.#statements.saveBrief.run(to, key.pk, key.sk, JSON.stringify(after?.brief))
  }
}

function indexKeys(item: Item | undefined): Array<[IndexName, Key]> {
  return indexes.flatMap((name): Array<[IndexName, Key]> => {
    const at = item?.by?.[name]
    return at ? [[name, at]] : []
  })
}

const nameOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`

function holds(expect: Expectation | undefined, current: Item | undefined): boolean {
  if (expect === undefined) return true
  if (expect === 'absent') return current === undefined
  return expect === 'present' ? current !== undefined : current?.version === expect
}

/** The bodies to store, by position; throws on what DynamoDB would refuse. */
function checked(writes: Write[]): Array<string | undefined> {
  if (writes.length === 0 || writes.length > WRITE_LIMIT)
    throw new RangeError(`a transaction holds 1 to ${WRITE_LIMIT} writes, not ${writes.length}`)
  const keys = new Set(writes.map((write) => JSON.stringify([keyOf(write).pk, keyOf(write).sk])))
  if (keys.size !== writes.length) throw new RangeError('a transaction may name each key once only')
  return writes.map((write) => {
    for (const key of [keyOf(write), ...('put' in write ? indexKeys(write.put).map(([, at]) => at) : [])])
      for (const part of [key.pk, key.sk])
        if (part === '' || Buffer.byteLength(part) > KEY_LIMIT)
          throw new RangeError(`a key has 1 to ${KEY_LIMIT} bytes: ${JSON.stringify(key)}`)
    if (!('put' in write)) return undefined
    return bodyOf(write.put)
  })
}

function bodyOf({ pk, sk, version, value, by, expires, counts }: Item): string {
  const body = JSON.stringify({ pk, sk, version, value, by, expires, counts })
  if (Buffer.byteLength(body) > ITEM_LIMIT)
    throw new RangeError(`item ${pk} ${sk} has ${Buffer.byteLength(body)} bytes, of ${ITEM_LIMIT} allowed`)
  return body
}

function position(item: Item, index: IndexName | undefined): Page['next'] {
  const key = { pk: item.pk, sk: item.sk }
  return index ? { key, at: item.by?.[index] ?? key } : { key }
}
