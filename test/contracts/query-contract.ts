import { describe, expect, it } from 'vitest'
import type { Item, Page, Query, Table } from '../../lambdas/platform.ts'
import { freshKey, item, underTest, type Make } from './under-test.ts'

const sortKeys = (page: Page): string[] => page.items.map(({ sk }) => sk)

async function everyPage(table: Table, query: Query): Promise<Item[][]> {
  const pages: Item[][] = []
  for (let after: Page['next']; ;) {
    const page = await table.query({ ...query, ...(after && { after }) })
    pages.push(page.items)
    if (!page.next) return pages
    after = page.next
  }
}

export function queryContract(name: string, make: Make): void {
  describe(`${name}: table queries`, () => {
    const made = underTest(make)
    const table = (): Table => made().platform.table

    async function written(pk: string, sorts: string[]): Promise<void> {
      await table().write(sorts.map((sk) => ({ put: item(pk, sk) })))
    }

    it('orders by sort key, byte by byte', async () => {
      const pk = freshKey()
      await written(pk, ['b', 'a', 'B', 'aa', 'a#1', '10', '9', 'é', 'z', '😀'])
      const ordered = ['10', '9', 'B', 'a', 'a#1', 'aa', 'b', 'z', 'é', '😀']
      expect(sortKeys(await table().query({ pk, limit: 20 }))).toEqual(ordered)
      expect(sortKeys(await table().query({ pk, limit: 20, descending: true }))).toEqual(ordered.toReversed())
    })

    it('finds a prefix and nothing beside it', async () => {
      const pk = freshKey()
      await written(pk, ['history', 'history#1', 'history#2', 'history$', 'histor', 'node'])
      expect(sortKeys(await table().query({ pk, prefix: 'history#', limit: 9 }))).toEqual(['history#1', 'history#2'])
      expect(sortKeys(await table().query({ pk, prefix: 'none', limit: 9 }))).toEqual([])
    })

    it('stops at `through`, inclusive', async () => {
      const pk = freshKey()
      await written(pk, ['1', '2', '3', '30'])
      expect(sortKeys(await table().query({ pk, through: '3', limit: 9 }))).toEqual(['1', '2', '3'])
      expect(sortKeys(await table().query({ pk, through: '3', limit: 1, descending: true }))).toEqual(['3'])
    })

    it.each([false, true])('pages through everything once (descending: %s)', async (descending) => {
      const pk = freshKey()
      const all = Array.from({ length: 23 }, (_, index) => String(index).padStart(2, '0'))
      await written(pk, all)
      const pages = await everyPage(table(), { pk, limit: 5, descending })
      expect(pages.flat().map(({ sk }) => sk)).toEqual(descending ? all.toReversed() : all)
      expect(Math.max(...pages.map(({ length }) => length))).toBe(5)
    })

    it('resumes behind a key of the asker’s own making, there or not', async () => {
      const pk = freshKey()
      await written(pk, ['a', 'c', 'e'])
      const after = (sk: string) => table().query({ pk, limit: 9, after: { key: { pk, sk } } })
      expect(sortKeys(await after('a'))).toEqual(['c', 'e'])
      expect(sortKeys(await after('b'))).toEqual(['c', 'e'])
      expect(sortKeys(await after('e'))).toEqual([])
    })

    it('has nothing under a key that is longer than any may be', async () => {
      const pk = 'x'.repeat(3000)
      expect(await table().get({ pk, sk: 'a' })).toBeUndefined()
      expect(await table().get({ pk: freshKey(), sk: pk })).toBeUndefined()
      expect((await table().query({ pk, limit: 9 })).items).toEqual([])
      expect((await table().query({ index: 'site', pk, limit: 9 })).items).toEqual([])
    })

    it('has a prefix, an end and a resumption at once', async () => {
      const pk = freshKey()
      await written(pk, ['c#1', 'c#2', 'c#3', 'c#4', 'd#1'])
      const after = { key: { pk, sk: 'c#1' } }
      expect(sortKeys(await table().query({ pk, prefix: 'c#', through: 'c#3', after, limit: 9 }))).toEqual([
        'c#2',
        'c#3',
      ])
    })

    it('lists an index in its own order, with pages, both ways', async () => {
      const [site, run] = [freshKey(), freshKey()]
      const at = (index: number) => String((index * 7) % 11).padStart(2, '0')
      const items = Array.from({ length: 11 }, (_, index) =>
        item(`${run}#${index}`, 'node', 1, { by: { site: { pk: site, sk: at(index) } } }),
      )
      await table().write(items.map((put) => ({ put })))
      const ordered = items.toSorted((a, b) => (a.by!.site!.sk < b.by!.site!.sk ? -1 : 1))
      await expect
        .poll(async () => (await everyPage(table(), { index: 'site', pk: site, limit: 4 })).flat())
        .toEqual(ordered)
      const descending = await everyPage(table(), { index: 'site', pk: site, limit: 4, descending: true })
      expect(descending.flat()).toEqual(ordered.toReversed())
      const due = await table().query({ index: 'site', pk: site, through: '04', limit: 20 })
      expect(due.items).toEqual(ordered.slice(0, 5))
      const marker = ordered[5]!
      const after = { key: { pk: marker.pk, sk: marker.sk }, at: marker.by!.site! }
      expect((await table().query({ index: 'site', pk: site, after, limit: 20 })).items).toEqual(ordered.slice(6))
      // One that is in this list no longer, or was never: where it would stand.
      const gone = { key: { pk: freshKey(), sk: 'node' }, at: { pk: site, sk: '05#' } }
      const behind = await table().query({ index: 'site', pk: site, after: gone, limit: 20 })
      expect(behind.items).toEqual(ordered.slice(6))
    })

    it('keeps an item in an index only while it carries a key for it', async () => {
      const [pk, one, two] = [freshKey(), freshKey(), freshKey()]
      const listed = async (state: string) =>
        (await table().query({ index: 'state', pk: state, limit: 9 })).items.length
      await table().write([{ put: item(pk, 'node', 1, { by: { state: { pk: one, sk: '1' } } }) }])
      await expect.poll(() => listed(one)).toBe(1)
      await table().write([{ put: item(pk, 'node', 2, { by: { state: { pk: two, sk: '1' } } }) }])
      await expect.poll(async () => [await listed(one), await listed(two)]).toEqual([0, 1])
      await table().write([{ delete: { pk, sk: 'node' } }])
      await expect.poll(() => listed(two)).toBe(0)
    })
  })
}
