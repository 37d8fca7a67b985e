import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { openStagger } from './stagger.ts'

const go = new AbortController().signal

it('lets so many of a group go at once, the next when the time of the first is over, and other groups beside', async () => {
  const clock = new ManualClock()
  const began = clock.now().getTime()
  const stagger = openStagger({ most: 2, seconds: 10, property: 'rack' }, clock)
  const went: [string, number][] = []
  const notes: string[] = []
  for (const group of ['a', 'a', 'a', 'a', 'a', 'b'])
    void stagger(group)(go, (text) => notes.push(text)).then(() => went.push([group, clock.now().getTime() - began]))
  await clock.advance(60_000)
  expect(went).toEqual([
    ['a', 0],
    ['a', 0],
    ['b', 0],
    ['a', 10_000],
    ['a', 10_000],
    ['a', 20_000],
  ])
  expect(notes).toHaveLength(3)
  expect(notes[2]).toBe('waiting 20 s for its turn to be switched on (2 of a in 10 s)')
})

it('holds up nobody where nothing is configured, nor when the last turn is long ago', async () => {
  const clock = new ManualClock()
  await openStagger(undefined, clock)('a')(go, () => expect.unreachable())
  const stagger = openStagger({ most: 1, seconds: 10, property: 'rack' }, clock)
  await stagger('a')(go, () => expect.unreachable())
  await clock.advance(10_000)
  await stagger('a')(go, () => expect.unreachable())
})

it('ends a wait that nobody wants any more', async () => {
  const clock = new ManualClock()
  const stagger = openStagger({ most: 1, seconds: 10, property: 'rack' }, clock)
  await stagger('a')(go, () => {})
  const stop = new AbortController()
  const waiting = stagger('a')(stop.signal, () => {})
  stop.abort(new Error('cancelled'))
  await expect(waiting).rejects.toThrow('cancelled')
})
