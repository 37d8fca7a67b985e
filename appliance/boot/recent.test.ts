import { expect, test } from 'vitest'
import { Recent } from './recent.ts'

const value = (of: number): { of: number } => ({ of })

test('the last so many keys are known, and of a flood no more than twice as many', () => {
  const recent = new Recent<number, { of: number }>(4)
  for (let key = 0; key < 100; key += 1) {
    recent.set(key, value(key))
    for (let last = Math.max(0, key - 3); last <= key; last += 1) expect(recent.get(last)).toEqual(value(last))
  }
  const known = Array.from({ length: 100 }, (_, key) => recent.get(key)).filter((found) => found !== undefined)
  expect(known.length).toBeLessThan(8)
})

test('who is asked for stays, and what is set again is what is found', () => {
  const recent = new Recent<number, { of: number }>(4)
  recent.set(-1, value(1))
  for (let key = 0; key < 40; key += 1) {
    recent.set(key, value(key))
    expect(recent.get(-1)).toEqual(value(1))
  }
  recent.set(-1, value(2))
  expect(recent.get(-1)).toEqual(value(2))
})
