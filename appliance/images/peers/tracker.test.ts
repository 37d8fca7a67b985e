import { expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openTracker } from './tracker.ts'

const chunk = (digit: string) => digit.repeat(64)
const asker = (plan: string, have: string[] = [], image = 'i') => ({ image, plan, url: `http://${plan}:1`, have })

it('the site gives an image to each itself while few write it; then it names who has the chunk, the least busy first', () => {
  const tracker = openTracker(2, new ManualClock())
  expect(tracker.others(asker('a', [chunk('1')]), chunk('2'))).toEqual([])
  expect(tracker.others(asker('b'), chunk('1'))).toEqual([])
  expect(tracker.others(asker('c'), chunk('1'))).toEqual(['http://a:1'])
  expect(tracker.others(asker('c'), chunk('3'))).toEqual([])
  expect(tracker.others(asker('c', [chunk('1')]), chunk('1'))).toEqual(['http://a:1'])
  expect(tracker.others(asker('b'), chunk('1'))).toEqual(['http://c:1', 'http://a:1'])
})

it('of another image nobody has anything', () => {
  const tracker = openTracker(1, new ManualClock())
  for (const plan of ['a', 'b']) tracker.others(asker(plan, [chunk('1')]), chunk('2'))
  expect(tracker.others(asker('c', [], 'another'), chunk('1'))).toEqual([])
})

it('who has left, is silent, or began anew is not named', async () => {
  const clock = new ManualClock()
  const tracker = openTracker(1, clock)
  for (const plan of ['a', 'b', 'c']) tracker.others(asker(plan, [chunk('1')]), chunk('2'))
  tracker.forget('a')
  tracker.others({ ...asker('b'), url: 'http://b:2' }, chunk('2'))
  expect(tracker.others(asker('d'), chunk('1'))).toEqual(['http://c:1'])
  await clock.advance(61_000)
  for (const plan of ['d', 'e']) tracker.others(asker(plan), chunk('2'))
  expect(tracker.others(asker('d'), chunk('1'))).toEqual([])
})
