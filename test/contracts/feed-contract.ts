import { describe, expect, it } from 'vitest'
import type { Change } from '../../lambdas/platform.ts'
import { freshKey, item, underTest, type Make } from './under-test.ts'

const patience = { timeout: 30_000, interval: 50 }

export function feedContract(name: string, make: Make): void {
  describe(`${name}: change feed`, () => {
    const made = underTest(make)

    it('tells of a creation, a change and a deletion with what was before and after', async () => {
      const pk = freshKey()
      const seen: Change[] = []
      const stop = await made().subscribe(async (changes) => {
        seen.push(...changes.filter((change) => change.key.pk === pk))
      })
      const { table } = made().platform
      await table.write([{ put: item(pk, 'a', 1, { by: { all: { pk, sk: '1' } } }) }])
      await table.write([{ put: item(pk, 'a', 2) }])
      await table.write([{ delete: { pk, sk: 'a' } }])
      await expect.poll(() => seen.length, patience).toBeGreaterThanOrEqual(3)
      await stop()
      const key = { pk, sk: 'a' }
      const first = item(pk, 'a', 1, { by: { all: { pk, sk: '1' } } })
      expect(seen.slice(0, 3)).toEqual([
        { key, before: undefined, after: first },
        { key, before: first, after: item(pk, 'a', 2) },
        { key, before: item(pk, 'a', 2), after: undefined },
      ])
    })

    it('keeps the order of each item’s changes', async () => {
      const pk = freshKey()
      const versions = new Map<string, number[]>()
      const stop = await made().subscribe(async (changes) => {
        for (const { key, after } of changes)
          if (key.pk === pk && after) versions.set(key.sk, [...(versions.get(key.sk) ?? []), after.version])
      })
      const one = async (sk: string): Promise<void> => {
        for (let version = 1; version <= 12; version += 1)
          await made().platform.table.write([{ put: item(pk, sk, version) }])
      }
      await Promise.all(['a', 'b', 'c', 'd'].map(one))
      const expected = Array.from({ length: 12 }, (_, index) => index + 1)
      await expect
        .poll(() => ['a', 'b', 'c', 'd'].map((sk) => versions.get(sk)), patience)
        .toEqual([expected, expected, expected, expected])
      await stop()
    })

    it('delivers again what a handler failed on, and loses nothing', { timeout: 60_000 }, async () => {
      const pk = freshKey()
      let failures = 2
      const handled = new Set<string>()
      const stop = await made().subscribe(async (changes) => {
        const mine = changes.filter(({ key }) => key.pk === pk)
        if (mine.length > 0 && failures > 0) {
          failures -= 1
          throw new Error('not this time')
        }
        for (const { key } of mine) handled.add(key.sk)
      })
      await made().platform.table.write(['a', 'b', 'c'].map((sk) => ({ put: item(pk, sk) })))
      await expect.poll(() => [...handled].sort(), { ...patience, timeout: 50_000 }).toEqual(['a', 'b', 'c'])
      expect(failures).toBe(0)
      await stop()
    })

    it('says nothing of a transaction that failed', async () => {
      const pk = freshKey()
      const seen: string[] = []
      const stop = await made().subscribe(async (changes) => {
        for (const { key } of changes) if (key.pk === pk) seen.push(key.sk)
      })
      const { table } = made().platform
      await expect(
        table.write([{ put: item(pk, 'lost') }, { check: { pk, sk: 'x' }, expect: 'present' }]),
      ).rejects.toThrow()
      await table.write([{ put: item(pk, 'kept') }])
      await expect.poll(() => seen, patience).toEqual(['kept'])
      await stop()
    })
  })
}
