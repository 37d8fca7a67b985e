import { describe, expect, it } from 'vitest'
import { ConflictError } from '../../lambdas/platform.ts'
import { freshKey, item, underTest, type Make } from './under-test.ts'

export function writeContract(name: string, make: Make): void {
  describe(`${name}: table writes`, () => {
    const { table } = lazily(underTest(make))

    it('returns what was put, to the last kind of JSON value', async () => {
      const pk = freshKey()
      const value = {
        text: 'ä€😀',
        empty: '',
        none: null,
        list: [1, -2.5, [], {}],
        deep: { a: { b: true } },
        big: 2 ** 53 - 1,
      }
      const written = item(pk, 'a', 3, { value, by: { all: { pk: freshKey(), sk: '1' } }, expires: 4_000_000_000 })
      await table().write([{ put: written }])
      expect(await table().get({ pk, sk: 'a' })).toEqual(written)
    })

    it('has nothing where nothing was put, and nothing after a delete', async () => {
      const pk = freshKey()
      expect(await table().get({ pk, sk: 'a' })).toBeUndefined()
      await table().write([{ put: item(pk, 'a') }])
      await table().write([{ delete: { pk, sk: 'a' } }])
      expect(await table().get({ pk, sk: 'a' })).toBeUndefined()
    })

    it('deletes what is not there without complaint, unless it was expected', async () => {
      const key = { pk: freshKey(), sk: 'a' }
      await table().write([{ delete: key }])
      await expect(table().write([{ delete: key, expect: 'present' }])).rejects.toBeInstanceOf(ConflictError)
    })

    it.each([
      ['absent, nothing there', undefined, 'absent', true],
      ['absent, something there', 1, 'absent', false],
      ['present, nothing there', undefined, 'present', false],
      ['present, something there', 1, 'present', true],
      ['a version, the same there', 7, 7, true],
      ['a version, another there', 8, 7, false],
      ['a version, nothing there', undefined, 7, false],
    ] as const)('an expectation (%s) holds for put, delete and check alike', async (_, version, expected, holds) => {
      for (const way of ['put', 'delete', 'check'] as const) {
        const pk = freshKey()
        if (version !== undefined) await table().write([{ put: item(pk, 'a', version) }])
        const key = { pk, sk: 'a' }
        const write =
          way === 'put'
            ? { put: item(pk, 'a', 99), expect: expected }
            : way === 'delete'
              ? { delete: key, expect: expected }
              : { check: key, expect: expected }
        const outcome = table().write([write, { put: item(pk, 'witness') }])
        if (holds) await expect(outcome).resolves.toBeUndefined()
        else await expect(outcome).rejects.toBeInstanceOf(ConflictError)
        expect((await table().get({ pk, sk: 'witness' })) !== undefined, way).toBe(holds)
      }
    })

    it('says which expectation failed and what stands there, and writes nothing', async () => {
      const pk = freshKey()
      await table().write([{ put: item(pk, 'b', 4) }])
      const error = await table()
        .write([{ put: item(pk, 'a') }, { put: item(pk, 'b', 6), expect: 5 }, { put: item(pk, 'c') }])
        .then(
          () => undefined,
          (reason: unknown) => reason,
        )
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ index: 1, current: item(pk, 'b', 4) })
      expect((await table().query({ pk, limit: 10 })).items.map(({ sk }) => sk)).toEqual(['b'])
    })

    it('writes 100 items in one transaction', async () => {
      const pk = freshKey()
      const many = Array.from({ length: 100 }, (_, index) => item(pk, String(index).padStart(3, '0')))
      await table().write(many.map((put) => ({ put, expect: 'absent' as const })))
      expect((await table().query({ pk, limit: 200 })).items).toEqual(many)
    })

    it('loses none of 50 conditional increments made at once', async () => {
      const key = { pk: freshKey(), sk: 'counter' }
      await table().write([{ put: { ...key, version: 1, value: 0 } }])
      const increment = async (): Promise<void> => {
        for (;;) {
          const current = await table().get(key)
          if (!current) throw new Error('the counter is gone')
          const put = { ...key, version: current.version + 1, value: (current.value as number) + 1 }
          try {
            return await table().write([{ put, expect: current.version }])
          } catch (error) {
            if (!(error instanceof ConflictError)) throw error
          }
        }
      }
      await Promise.all(Array.from({ length: 50 }, increment))
      expect(await table().get(key)).toEqual({ ...key, version: 51, value: 50 })
    })

    it('adds to counts, in one transaction with other writes, and loses none of 50 additions made at once', async () => {
      const [key, witness] = [
        { pk: freshKey(), sk: 'counts' },
        { pk: freshKey(), sk: 'a' },
      ]
      const add = (name: string) => table().write([{ count: key, by: { [name]: 2, 'the#rest': -1 } }])
      await Promise.all(Array.from({ length: 50 }, (_, at) => add(at % 2 === 0 ? 'even' : 'odd')))
      const after = { ...key, version: 50, value: null, counts: { even: 50, odd: 50, 'the#rest': -50 } }
      expect(await table().get(key)).toEqual(after)
      expect((await table().query({ pk: key.pk, limit: 1 })).items).toEqual([after])
      const refused = table().write([
        { count: key, by: { even: 1 } },
        { put: item(witness.pk, 'a'), expect: 'present' },
      ])
      await expect(refused).rejects.toBeInstanceOf(ConflictError)
      expect(await table().get(key)).toEqual(after)
      const trimmed = { ...after, version: 51, counts: { even: 50 } }
      await table().write([{ put: trimmed, expect: 50 }])
      expect(await table().get(key)).toEqual(trimmed)
    })

    it('lets one of many at once take a unique name', async () => {
      const key = { pk: freshKey(), sk: 'name' }
      const takes = Array.from({ length: 20 }, (_, who) =>
        table().write([{ put: { ...key, version: 1, value: who }, expect: 'absent' }]),
      )
      const outcomes = await Promise.allSettled(takes)
      const winners = outcomes.flatMap(({ status }, who) => (status === 'fulfilled' ? [who] : []))
      expect(winners).toHaveLength(1)
      expect(await table().get(key)).toMatchObject({ value: winners[0] })
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConflictError)
    })

    it('refuses a transaction of more than 100 writes, and one that names a key twice', async () => {
      const pk = freshKey()
      const many = Array.from({ length: 101 }, (_, index) => ({ put: item(pk, String(index)) }))
      await expect(table().write(many)).rejects.toThrow()
      await expect(table().write([{ put: item(pk, 'a') }, { delete: { pk, sk: 'a' } }])).rejects.toThrow()
      expect((await table().query({ pk, limit: 10 })).items).toEqual([])
    })
  })
}

function lazily(made: ReturnType<typeof underTest>) {
  return { table: () => made().platform.table }
}
