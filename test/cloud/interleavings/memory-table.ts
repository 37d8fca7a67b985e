import {
  afterCount,
  type Change,
  ConflictError,
  indexes,
  type Item,
  type Key,
  keyOf,
  type Page,
  type Query,
  type Table,
  type Write,
} from '../../../lambdas/platform.ts'

/** A table that is quick, with its feed laid open: changes lie there until a test delivers them. The suite of test/contracts holds it to
 * what both editions do. */
export class MemoryTable implements Table {
  readonly feed: Change[] = []
  readonly #items = new Map<string, string>()
  /** By list: the text of an item's key, and where it is in the list. */
  readonly #lists = new Map<string, Map<string, Key>>()

  get(key: Key): Promise<Item | undefined> {
    return Promise.resolve(this.#read(key))
  }

  query({ index, pk, prefix, through, after, limit, descending }: Query): Promise<Page> {
    const rows = [...(this.#lists.get(listOf(index, pk)) ?? [])].map(([text, { sk }]) => ({ sk, text }))
    const order = (a: Row, b: Row): number => (a.sk === b.sk ? less(a.text, b.text) : less(a.sk, b.sk))
    const from = after && { sk: (index ? after.at : after.key)?.sk ?? after.key.sk, text: textOf(after.key) }
    const found = rows
      .filter(({ sk }) => prefix === undefined || sk.startsWith(prefix))
      .filter(({ sk }) => through === undefined || sk <= through)
      .toSorted((a, b) => (descending ? order(b, a) : order(a, b)))
      .filter((row) => from === undefined || (descending ? order(row, from) < 0 : order(row, from) > 0))
    const items = found.slice(0, limit).map(({ text }) => JSON.parse(this.#items.get(text)!) as Item)
    const last = items.at(-1)
    const key = last && { pk: last.pk, sk: last.sk }
    const next = key && found.length > limit ? (index ? { key, at: last.by![index]! } : { key }) : undefined
    return Promise.resolve({ items, next })
  }

  write(writes: Write[]): Promise<void> {
    const keys = writes.map(keyOf)
    if (writes.length === 0 || writes.length > 100) return Promise.reject(new RangeError('1 to 100 writes'))
    if (new Set(keys.map(textOf)).size !== keys.length) return Promise.reject(new RangeError('each key once only'))
    for (const [at, { expect }] of writes.entries()) {
      const current = this.#read(keys[at]!)
      const holds =
        expect === undefined ||
        (expect === 'absent' ? !current : expect === 'present' ? current !== undefined : current?.version === expect)
      if (!holds) return Promise.reject(new ConflictError(at, current))
    }
    for (const write of writes)
      if ('count' in write) this.#replace(write.count, afterCount(write.count, this.#read(write.count), write.by))
      else if (!('check' in write)) this.#replace(keyOf(write), 'put' in write ? write.put : undefined)
    return Promise.resolve()
  }

  #read(key: Key): Item | undefined {
    const body = this.#items.get(textOf(key))
    return body === undefined ? undefined : (JSON.parse(body) as Item)
  }

  #replace(key: Key, after: Item | undefined): void {
    const text = textOf(key)
    const before = this.#read(key)
    if (!before && !after) return
    for (const [list] of placesOf(before)) this.#lists.get(list)?.delete(text)
    for (const [list, at] of placesOf(after)) {
      const members = this.#lists.get(list) ?? new Map<string, Key>()
      this.#lists.set(list, members.set(text, at))
    }
    if (after) this.#items.set(text, JSON.stringify(after))
    else this.#items.delete(text)
    this.feed.push({ key: { pk: key.pk, sk: key.sk }, before, after: this.#read(key) })
  }
}

interface Row {
  sk: string
  text: string
}

function placesOf(item: Item | undefined): Array<[string, Key]> {
  if (!item) return []
  const own: Array<[string, Key]> = [[listOf(undefined, item.pk), item]]
  return [
    ...own,
    ...indexes.flatMap((name): Array<[string, Key]> => {
      const at = item.by?.[name]
      return at ? [[listOf(name, at.pk), at]] : []
    }),
  ]
}

const listOf = (index: string | undefined, pk: string): string => `${index ?? ''}\0${pk}`
const textOf = ({ pk, sk }: Key): string => `${pk}\0${sk}`
const less = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
