import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { fastClock } from './clock.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const sleeping = (clock: ReturnType<typeof fastClock>, ms: number, signal?: AbortSignal) => {
  const told: string[] = []
  void clock.sleep(ms, signal).then(
    () => told.push('woke'),
    (error: unknown) => told.push(String(error)),
  )
  return told
}

it('passes faster than the wall’s, and wakes whoever is due', async () => {
  const clock = fastClock(100)
  const began = clock.now().getTime()
  const [short, long] = [sleeping(clock, 30_000), sleeping(clock, 90_000)]
  await vi.advanceTimersByTimeAsync(400)
  expect([short, long]).toEqual([['woke'], []])
  await vi.advanceTimersByTimeAsync(600)
  expect(long).toEqual(['woke'])
  expect(clock.now().getTime() - began).toBe(100_000)
})

it('stands still while the process is kept waiting: what was not done in time is not late', async () => {
  const clock = fastClock(100)
  const began = clock.now().getTime()
  const step = sleeping(clock, 60_000)
  // No timer is served meanwhile.
  vi.setSystemTime(Date.now() + 5000)
  const spy = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5000)
  expect(clock.now().getTime() - began).toBe(2000)
  spy.mockRestore()
  expect(step).toEqual([])
})

it('wakes nobody who was called off', async () => {
  const clock = fastClock(100)
  const stop = new AbortController()
  const told = sleeping(clock, 1000, stop.signal)
  stop.abort(new Error('power lost'))
  await vi.advanceTimersByTimeAsync(100)
  expect(told).toEqual(['Error: power lost'])
  expect(sleeping(clock, 1, stop.signal)).toEqual([])
})
