import { UserError } from '../../contract/api/faults.ts'
import { ConflictError, type IndexName, type Item, type Key, type Table, type Write } from '../platform.ts'
import { list, type Listed } from './paging.ts'
import { type Sorting, sortedList } from './sorting.ts'

/** A resource with a uuid, kept in order of creation, changed by conditional writes only. */
export interface Entity {
  uuid: string
  created_at: string
  updated_at: string | null
  version: number
}

export interface Kind<T extends Entity> {
  /** In messages: `A <title> with … already exists`. */
  title: string
  /** Prefix and sort key of its items; `plural` is the list of all. */
  word: string
  plural: string
  /** Lists beside that of all. */
  lists?: (value: T) => Partial<Record<IndexName, string>>
  /** What no two may share, and how that is said. The one that begins with the word and `-name#` is a name to be found by. */
  uniques?: (value: T) => Unique[]
  /** Items that must exist for it to be written. */
  needs?: (value: T) => Need[]
}
export interface Unique {
  pk: string
  clash: string
}
export interface Need {
  key: Key
  missing: UserError
}

export interface EntityPage<T> {
  limit: number
  after?: T
  descending?: boolean
  keep?: (value: T) => boolean
  sort?: Sorting<T>
  /** Another list than that of all. */
  from?: { index: IndexName; pk: string }
}

export interface Store<T extends Entity> {
  key(uuid: string): Key
  get(table: Table, uuid: string): Promise<T | undefined>
  /** By uuid or name. */
  find(table: Table, ident: string): Promise<T | undefined>
  list(table: Table, page: EntityPage<T>): Promise<Listed<T>>
  /** New (`before` undefined) or changed. False: somebody changed it meanwhile. */
  save(table: Table, before: T | undefined, after: T): Promise<boolean>
  /** The writes of a change, to be part of another's transaction. */
  writes(before: T | undefined, after: T | undefined): Write[]
  remove(table: Table, value: T): Promise<void>
}

export function store<T extends Entity>(kind: Kind<T>): Store<T> {
  const { word, plural, title } = kind
  const key = (uuid: string): Key => ({ pk: `${word}#${uuid}`, sk: word })
  const item = (value: T): Item => {
    const sk = `${value.created_at}#${value.uuid}`
    const lists = Object.entries({ all: plural, ...kind.lists?.(value) })
    return {
      ...key(value.uuid),
      version: value.version,
      value,
      by: Object.fromEntries(lists.map(([index, pk]) => [index, { pk, sk }])),
    }
  }
  const get = async (table: Table, uuid: string): Promise<T | undefined> =>
    (await table.get(key(uuid.toLowerCase())))?.value as T | undefined
  const parts = (before: T | undefined, after: T | undefined) => {
    const had = before ? (kind.uniques?.(before) ?? []) : []
    const has = after ? (kind.uniques?.(after) ?? []) : []
    const isIn = (some: Unique[]) => (one: Unique) => some.some(({ pk }) => pk === one.pk)
    const taken = has.filter((one) => !isIn(had)(one))
    const needs = after ? (kind.needs?.(after) ?? []) : []
    const uuid = (after ?? before)?.uuid
    const own: Write[] = after
      ? [{ put: item(after), expect: before?.version ?? 'absent' }]
      : before
        ? [{ delete: key(before.uuid), expect: before.version }]
        : []
    return {
      taken,
      needs,
      writes: [
        ...own,
        ...taken.map(({ pk }) => ({
          put: { pk, sk: 'unique', version: 1, value: { uuid } },
          expect: 'absent' as const,
        })),
        ...needs.map((need) => ({ check: need.key, expect: 'present' as const })),
        ...had.filter((one) => !isIn(has)(one)).map(({ pk }) => ({ delete: { pk, sk: 'unique' } })),
      ],
    }
  }
  return {
    key,
    get,
    async find(table, ident) {
      const pointer = await table.get({ pk: nameKey(word, ident), sk: 'unique' })
      return (await get(table, ident)) ?? (pointer && get(table, (pointer.value as { uuid: string }).uuid))
    },
    list(table, { limit, after, descending, keep, sort, from = { index: 'all', pk: plural } }) {
      const listing = { ...from, limit, descending, keep, after: after && item(after) }
      return sort ? sortedList(table, listing, sort, after) : list<T>(table, listing)
    },
    writes: (before, after) => parts(before, after).writes,
    async save(table, before, after) {
      const { taken, needs, writes } = parts(before, after)
      try {
        await table.write(writes)
        return true
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        if (error.index === 0 && before) return false
        const clash =
          taken[error.index - 1]?.clash ?? `${article(title)} ${title} with UUID ${after.uuid} already exists.`
        throw needs[error.index - 1 - taken.length]?.missing ?? new UserError(409, clash)
      }
    },
    async remove(table, value) {
      const { uuid } = value
      try {
        await table.write(parts(value, undefined).writes)
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        throw new UserError(409, `The ${title} ${uuid} was changed at the same moment, please retry.`)
      }
    },
  }
}

export function nameKey(word: string, name: string): string {
  return `${word}-name#${name}`
}

/** The uniqueness of a name that may be absent. */
export function uniqueName(word: string, title: string, name: string | null): Unique[] {
  return name === null
    ? []
    : [{ pk: nameKey(word, name), clash: `${article(title)} ${title} with name ${name} already exists.` }]
}

const article = (noun: string): string => (/^[aeiou]/i.test(noun) ? 'An' : 'A')
