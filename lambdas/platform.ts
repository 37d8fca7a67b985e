import type { Readable } from 'node:stream'
import type { CertificateLife } from '../contract/appliance-certificate.ts'
import type { ConductorOptions } from '../contract/conductor-options.ts'

/** The few things that the cloud's code needs from what it stands on. lambdas/aws and standalone/ each implement all of them;
 * test/contracts holds both to the same suite. */
export interface Platform {
  table: Table
  blobs: Blobs
  bus: Bus
  identity: Identity
  couriers: Couriers
  /** What the operator decided. */
  options: ConductorOptions
  clock: Clock
  ids: Ids
  log: Log
}

export interface Key {
  pk: string
  sk: string
}

/** Indexes are few and fixed, because DynamoDB makes each at deployment. An item is in an index while it carries a key for it.
 * `due` holds what has a deadline: pk is constant, sk the instant. */
export const indexes = ['all', 'site', 'state', 'owner', 'class', 'instance', 'driver', 'node', 'due'] as const
export type IndexName = (typeof indexes)[number]

/** `value` is JSON (at most 350 KiB in all). `version` is what conditions compare; writers count it up. */
export interface Item extends Key {
  version: number
  value: unknown
  /** Keys into indexes. */
  by?: Partial<Record<IndexName, Key>>
  /** Unix seconds after which the item may be dropped, at leisure; readers must not count on it. */
  expires?: number
  /** The part of `value` that lists show and filter by, for a table that keeps it where lists read it without the rest. Readers never see
   * it here. */
  brief?: unknown
  /** What `count` adds to. */
  counts?: Record<string, number>
}

/** absent: no such item. Number: the item exists with exactly this version. 'present': it exists. */
export type Expectation = 'absent' | 'present' | number

export type Write =
  | { put: Item; expect?: Expectation }
  | { delete: Key; expect?: Expectation }
  | { check: Key; expect: Expectation }
  /** Adds to counts of the item, which is made (its value null) where there is none, and to its version: of those who add at once none has to begin anew. */
  | { count: Key; by: Readonly<Record<string, number>>; expect?: undefined }

export function keyOf(write: Write): Key {
  if ('put' in write) return write.put
  if ('delete' in write) return write.delete
  return 'check' in write ? write.check : write.count
}

/** The item after a `count`. */
export function afterCount({ pk, sk }: Key, before: Item | undefined, by: Readonly<Record<string, number>>): Item {
  const counts = { ...before?.counts }
  for (const [name, more] of Object.entries(by)) counts[name] = (counts[name] ?? 0) + more
  return { ...(before ?? { pk, sk, value: null }), version: (before?.version ?? 0) + 1, counts }
}

/** Some expectation did not hold; nothing was written. `index` is the write's position, `current` what stands there (undefined: nothing). */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
  readonly index: number
  readonly current: Item | undefined
  constructor(index: number, current: Item | undefined) {
    super(`write ${index}: the item is not as expected`)
    this.index = index
    this.current = current
  }
}

export interface Query {
  /** With `index`: keys are that index's. */
  index?: IndexName
  pk: string
  /** Only sort keys that begin so. */
  prefix?: string
  /** Only sort keys up to this one, inclusive. */
  through?: string
  /** Resume behind this item: the `next` of a page before, or of one's own making. With an index, `at` is its key there. */
  after?: { key: Key; at?: Key }
  limit: number
  descending?: boolean
}

export interface Page {
  items: Item[]
  /** Where to resume; undefined at the end. */
  next: { key: Key; at?: Key } | undefined
}

export interface BriefPage {
  /** The brief where an item has one, else its whole value: which has all that the brief has. */
  values: unknown[]
  next: Page['next']
}

export interface Table {
  /** Strongly consistent. */
  get(key: Key): Promise<Item | undefined>
  /** Base table: strongly consistent. An index may lag by moments. Order: sort key, byte by byte. */
  query(query: Query): Promise<Page>
  /** As `query`, over an index, of briefs. Absent where a table keeps none apart. */
  briefs?(query: Query & { index: IndexName }): Promise<BriefPage>
  /** All or nothing, at most 100 writes, each key once. Rejects with ConflictError. */
  write(writes: Write[]): Promise<void>
}

/** One change of the table. Delivered at least once, in order per item; `before` is undefined for a new item, `after` for a deleted one. */
export interface Change {
  key: Key
  before: Item | undefined
  after: Item | undefined
}
export type ChangeHandler = (changes: Change[]) => Promise<void>

export interface Blobs {
  put(key: string, bytes: Uint8Array): Promise<void>
  /** As many bytes as come. Absent where no request brings more than fits into memory. */
  putStream?(key: string, bytes: AsyncIterable<Uint8Array>): Promise<void>
  get(key: string): Promise<Uint8Array | undefined>
  stream(key: string): Promise<Readable | undefined>
  head(key: string): Promise<{ size: number; sha256: string | undefined } | undefined>
  delete(key: string): Promise<void>
  /** A URL that anyone can GET (with ranges) for `seconds`. */
  signGet(key: string, seconds: number): Promise<string>
  /** A URL to which one PUT of exactly these bytes succeeds, once or again, within `seconds`; `headers` must be sent along. */
  signPut(
    key: string,
    expected: { size: number; sha256: string },
    seconds: number,
  ): Promise<{ url: string; headers: Record<string, string> }>
  /** Absent where `putStream` is there. */
  parts?: BlobParts
}

/** A blob of any size that several processes put one after the other, part by part. Nothing is there until it is complete. */
export interface BlobParts {
  /** Resolves to what the other calls know it by. */
  begin(key: string): Promise<string>
  /** Numbers begin at 1; all parts but the last have 5 MiB at least. Put again, a part replaces what it was. Resolves to its tag. */
  put(key: string, upload: string, number: number, bytes: Uint8Array): Promise<string>
  /** Rejects unless these are the tags of the parts that were put. */
  complete(key: string, upload: string, tags: readonly string[]): Promise<void>
  /** What was put is forgotten. One that has ended already is no error. */
  abort(key: string, upload: string): Promise<void>
}

/** Cloud → appliance. Resolves when the broker has it; nobody may be listening. */
export interface Bus {
  publish(topic: string, payload: string): Promise<void>
}

/** Certificates for appliances. */
export interface Identity {
  /** `csr`: PKCS #10, PEM. The certificate's thing name and client id is `appliance`. What it has already stays good. Rejects with UserError
   * on a bad request. */
  issue(appliance: string, csr: string, days: number): Promise<Enrolment>
  /** All that it has. */
  revoke(appliance: string): Promise<void>
  /** All that it has but the one of this digest, which it is connected by. */
  retire(appliance: string, keep: string): Promise<void>
}

export interface Enrolment extends CertificateLife {
  certificate: string
  /** PEM of the authorities that sign the broker and, where it isn't a public one, the blob store. */
  authorities: string
  /** mqtts://host:port */
  broker: string
  certificate_sha256: string
}

/** Deliver webhooks' events, each webhook's by itself, so that a slow receiver delays nobody else (lambdas/webhooks). */
export interface Couriers {
  /** This webhook has something to deliver. Being woken twice, or for nothing, is harmless. */
  wake(webhook: string): Promise<void>
}

export interface Clock {
  now(): Date
}

export interface Ids {
  uuid(): string
  /** `bytes` of randomness, base64url. */
  token(bytes: number): string
}

export interface Log {
  info(facts: Record<string, unknown>, message: string): void
  warn(facts: Record<string, unknown>, message: string): void
  error(facts: Record<string, unknown>, message: string): void
}

/** A durable queue: what was sent is delivered at least once; a handler that throws gets it again later, at last to a dead-letter queue. */
export interface Queue {
  send(body: string): Promise<void>
}
/** Bodies that were not handled, by position; they come again. */
export type QueueHandler = (bodies: string[]) => Promise<number[]>
