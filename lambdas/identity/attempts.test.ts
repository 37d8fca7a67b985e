import { expect, test } from 'vitest'
import { pauseAfter } from './attempts.ts'

test('the first failures cost nothing; then each doubles the pause, up to a minute', () => {
  expect([0, 1, 4].map(pauseAfter)).toEqual([0, 0, 0])
  expect([5, 6, 7, 8].map(pauseAfter)).toEqual([1000, 2000, 4000, 8000])
  expect([11, 50, 10_000].map(pauseAfter)).toEqual([60_000, 60_000, 60_000])
})
