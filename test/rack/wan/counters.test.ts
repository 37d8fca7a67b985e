import { expect, test } from 'vitest'
import { parseCounters } from './counters.ts'

test('counters are name and number in turns', () => {
  const line = 'forwarded 184 bytes 17920 lost 16 cut 0 overflowed 2'
  expect(parseCounters(line)).toEqual({ forwarded: 184, bytes: 17920, lost: 16, cut: 0, overflowed: 2 })
})

test('an answer that lacks a counter is refused', () => {
  expect(() => parseCounters('forwarded 1 bytes 2')).toThrow('lost')
})
