import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConflictError } from '../lambdas/platform.ts'
import type { Change, Item, Query } from '../lambdas/platform.ts'
import { openTable, type SqliteTable } from './table.ts'

let table: SqliteTable
let now = new Date('2026-01-01T00:00:00Z')
beforeEach(() => {
  table = openTable({ path: ':memory:', clock: { now: () => now }, patience: { tries: 3, pauseMs: 5 } })
})
afterEach(() => table.close())

const item = (sk: string, version = 1, more: Partial<Item> = {}): Item => ({
  pk: 'p',
  sk,
  version,
  value: { sk },
  ...more,
})

describe('write', () => {
  it('undoes every write of a transaction of which one expectation fails, and says which', async () => {
    await table.write([{ put: item('b', 7) }])
    const write = table.write([{ put: item('a') }, { put: item('b', 8), expect: 6 }])
    await expect(write).rejects.toMatchObject({ name: 'ConflictError', index: 1, current: { version: 7 } })
    expect(await table.get({ pk: 'p', sk: 'a' })).toBeUndefined()
  })

  it('lets a failed transaction undo nothing of the others that share its commit', async () => {
    const outcomes = await Promise.allSettled([
      table.write([{ put: item('a'), expect: 'absent' }]),
      table.write([{ put: item('a'), expect: 'absent' }, { put: item('c') }]),
      table.write([{ put: item('b'), expect: 'absent' }]),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(ConflictError)
    expect((await table.query({ pk: 'p', limit: 9 })).items.map(({ sk }) => sk)).toEqual(['a', 'b'])
  })

  it.each([
    ['no writes', []],
    ['a key twice', [{ put: item('a') }, { delete: { pk: 'p', sk: 'a' } }]],
    ['an empty key', [{ put: item('') }]],
    ['an item above the limit', [{ put: item('a', 1, { value: 'x'.repeat(400_000) }) }]],
    ['more than 100 writes', Array.from({ length: 101 }, (_, i) => ({ put: item(`${i}`) }))],
  ])('refuses %s', async (_, writes) => {
    await expect(table.write(writes)).rejects.toBeInstanceOf(RangeError)
  })
})

describe('indexes', () => {
  it('hold an item while it carries a key for them', async () => {
    const by = { state: { pk: 's', sk: '1' } }
    await table.write([{ put: item('a', 1, { by }) }])
    expect((await table.query({ index: 'state', pk: 's', limit: 9 })).items).toHaveLength(1)
    await table.write([{ put: item('a', 2) }])
    expect((await table.query({ index: 'state', pk: 's', limit: 9 })).items).toEqual([])
  })
})

describe('briefs', () => {
  const at = (n: number) => ({ all: { pk: 'nodes', sk: `0${n}` }, state: { pk: 's', sk: `0${n}` } })
  const listed = async (index: 'all' | 'state', pk: string, after?: Query['after']) =>
    table.briefs({ index, pk, limit: 2, after })

  it('are what a list shows, in its order, a page at a time, of whichever index', async () => {
    for (const n of [3, 1, 2])
      await table.write([{ put: item(`${n}`, 1, { by: at(n), value: { n, long: 'x' }, brief: { n } }) }])
    const first = await listed('state', 's')
    expect(first.values).toEqual([{ n: 1 }, { n: 2 }])
    expect(await listed('state', 's', first.next)).toEqual({ values: [{ n: 3 }], next: undefined })
  })

  it('follow their item, whatever becomes of it', async () => {
    await table.write([{ put: item('a', 1, { by: at(1), value: {}, brief: { is: 'new' } }) }])
    await table.write([{ put: item('a', 2, { by: at(2), value: {}, brief: { is: 'moved' } }) }])
    expect((await listed('all', 'nodes')).values).toEqual([{ is: 'moved' }])
    await table.write([{ put: item('a', 3, { by: at(2), value: { is: 'without' } }) }])
    expect((await listed('all', 'nodes')).values).toEqual([{ is: 'without' }])
    await table.write([{ delete: item('a') }])
    expect((await listed('all', 'nodes')).values).toEqual([])
    expect(table.database.sql.prepare('SELECT count(*) AS left FROM brief').get()).toEqual({ left: 0 })
  })

  it('are the whole value of what was written before there were briefs', async () => {
    await table.write([{ put: item('a', 1, { by: at(1), value: { n: 1, long: 'x' }, brief: { n: 1 } }) }])
    table.database.sql.exec('DELETE FROM brief')
    expect((await listed('all', 'nodes')).values).toEqual([{ n: 1, long: 'x' }])
  })

  it('are not in what readers and the feed get', async () => {
    await table.write([{ put: item('a', 1, { by: at(1), brief: { n: 1 } }) }])
    expect(await table.get(item('a'))).not.toHaveProperty('brief')
  })
})

describe('sweep', () => {
  it('drops what has expired, and nothing else', async () => {
    const at = now.getTime() / 1000
    await table.write([{ put: item('old', 1, { expires: at }) }, { put: item('new', 1, { expires: at + 100 }) }])
    now = new Date(now.getTime() + 50_000)
    expect(await table.sweep()).toBe(1)
    expect((await table.query({ pk: 'p', limit: 9 })).items.map(({ sk }) => sk)).toEqual(['new'])
  })
})

describe('subscribe', () => {
  it('resumes behind the last change handled, and forgets what every consumer has handled', async () => {
    const first: Change[] = []
    const stop = table.subscribe('one', async (changes) => void first.push(...changes))
    await table.write([{ put: item('a') }])
    await expect.poll(() => first.length).toBe(1)
    await stop()
    await table.write([{ put: item('b') }])
    const second: Change[] = []
    const stopAgain = table.subscribe('one', async (changes) => void second.push(...changes))
    await expect.poll(() => second.map(({ key }) => key.sk)).toEqual(['b'])
    await stopAgain()
    expect(table.database.sql.prepare('SELECT count(*) AS left FROM feed').get()).toEqual({ left: 0 })
  })

  it('sets aside the one change that always fails, and delivers those around it', async () => {
    const seen = new Set<string>()
    await table.write(['a', 'poison', 'z'].map((sk) => ({ put: item(sk) })))
    const stop = table.subscribe('one', async (changes) => {
      await sleep(0)
      for (const { key } of changes) if (key.sk === 'poison') throw new Error('cannot')
      for (const { key } of changes) seen.add(key.sk)
    })
    await expect.poll(() => [...seen]).toEqual(['a', 'z'])
    await stop()
    const dead = table.database.sql.prepare('SELECT sk, error FROM feed_dead').all()
    expect(dead).toEqual([{ sk: 'poison', error: 'Error: cannot' }])
  })
})
