import { setImmediate as breath } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { hastyClock } from '../../testing/blob-server.ts'
import type { ObjectStore } from './object-store.ts'
import { openObjects } from './objects.ts'

/** A store that answers when it is let, and counts who waits. */
function setUp() {
  const waiting: Array<() => void> = []
  const seen = { most: 0, yields: false, rested: 0 }
  const kept = new Set<string>()
  const { bring } = openObjects(
    { get: async () => undefined, put: async (name: string) => !!kept.add(name) } as unknown as ObjectStore,
    {
      clock: { ...hastyClock, sleep: async (ms) => void (seen.rested += ms) },
      received: () => {},
      mustYield: () => seen.yields,
      get: async () => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          seen.most = Math.max(seen.most, waiting.length)
        })
        return new Response('bytes')
      },
    },
  )
  const signal = new AbortController().signal
  const want = (name: string, urgent = false) =>
    bring(
      name,
      { lane: 'plan', urgent, signal, trouble: () => {} },
      {
        what: name,
        limit: 10,
        url: async () => 'https://store/object',
        expired: () => {},
        keep: async (bytes) => bytes,
      },
    )
  const answerAll = async (works: Array<Promise<unknown>>): Promise<void> => {
    const done = new Set<unknown>()
    for (const work of works) void work.finally(() => done.add(work))
    while (done.size < works.length) {
      waiting.shift()?.()
      await breath()
    }
  }
  return { seen, want, answerAll, waiting, kept }
}

it('a line is filled by sixteen pulls at once, and left to one, with a rest before each, while machines that boot want the processors', async () => {
  const { seen, want, answerAll, waiting, kept } = setUp()
  seen.yields = true
  const works = Array.from({ length: 100 }, (_, at) => want(`chunk ${at}`))
  await expect.poll(() => waiting.length).toBe(1)
  await answerAll(works.slice(0, 50))
  expect(seen.most).toBe(1)
  expect(seen.rested).toBeGreaterThanOrEqual(50 * 100)
  seen.yields = false
  await answerAll(works)
  expect(seen.most).toBe(16)
  expect(kept.size).toBe(100)
})

it('pulls that began before a boot are not given up, and no new ones begin until one is left', async () => {
  const { seen, want, answerAll, waiting } = setUp()
  const works = Array.from({ length: 40 }, (_, at) => want(`chunk ${at}`))
  await expect.poll(() => waiting.length).toBe(16)
  seen.yields = true
  for (let left = 16; left > 1; left -= 1) {
    waiting.shift()!()
    await expect.poll(() => waiting.length).toBe(left - 1)
  }
  waiting.shift()!()
  await expect.poll(() => waiting.length).toBe(1)
  await answerAll(works)
})
