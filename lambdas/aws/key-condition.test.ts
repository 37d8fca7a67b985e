import { describe, expect, test } from 'vitest'
import type { Query } from '../platform.ts'
import { keyCondition } from './key-condition.ts'

const query = (more: Partial<Query>) => keyCondition({ pk: 'p', limit: 10, ...more })
const after = (sk: string) => ({ after: { key: { pk: 'p', sk } } })

describe('one condition on the sort key says', () => {
  test('nothing, a prefix, an upper end, or both', () => {
    expect(query({})).toMatchObject({ expression: '#pk = :pk', values: { ':pk': 'p' } })
    expect(query({ prefix: 'a' })?.expression).toBe('#pk = :pk AND begins_with(#sk, :prefix)')
    expect(query({ through: 'b' })?.expression).toBe('#pk = :pk AND #sk <= :through')
    expect(query({ prefix: 'a', through: 'a5' })?.expression).toBe('#pk = :pk AND #sk BETWEEN :prefix AND :through')
  })

  test('only the prefix where the upper end is beyond it, and matches nothing where it is before it', () => {
    const beyond = query({ prefix: 'a', through: 'b' })
    expect(beyond?.expression).toBe('#pk = :pk AND begins_with(#sk, :prefix)')
    expect(beyond?.values).toEqual({ ':pk': 'p', ':prefix': 'a' })
    expect(query({ prefix: 'b', through: 'a' })).toBeUndefined()
  })

  test('compares as UTF-8, where a rocket comes after a private-use character', () => {
    expect(query({ prefix: '\u{1F680}', through: '\uE000' })).toBeUndefined()
  })

  test('names of the index where one is asked', () => {
    expect(query({ index: 'site', prefix: 'a' })?.names).toEqual({ '#pk': 'site_pk', '#sk': 'site_sk' })
  })
})

describe('a start', () => {
  test('inside the condition is passed on, with the index key beside the key', () => {
    expect(query(after('x'))?.start).toEqual({ pk: 'p', sk: 'x' })
    const place = { key: { pk: 'node#1', sk: 'node' }, at: { pk: 'p', sk: 'x' } }
    expect(query({ index: 'all', after: place })?.start).toEqual({
      pk: 'node#1',
      sk: 'node',
      all_pk: 'p',
      all_sk: 'x',
    })
  })

  test('before the condition is left out, past it leaves nothing', () => {
    expect(query({ prefix: 'b', ...after('a') })).toMatchObject({ start: undefined })
    expect(query({ prefix: 'b', ...after('c') })).toBeUndefined()
    expect(query({ through: 'b', ...after('c') })).toBeUndefined()
  })

  test('is read the other way round when descending', () => {
    expect(query({ through: 'b', descending: true, ...after('c') })).toMatchObject({ start: undefined })
    expect(query({ prefix: 'b', descending: true, ...after('a') })).toBeUndefined()
  })

  test('in an index without its key there is refused', () => {
    expect(() => query({ index: 'all', ...after('x') })).toThrow('query of index all: "after" lacks "at"')
  })
})
