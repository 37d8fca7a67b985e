import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import type { PrefetchProgress } from '../../contract/images/prefetch.ts'
import type { ImageReference } from '../../contract/plan-sources.ts'
import type { ChunkCache } from './chunks/chunk-cache.ts'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import type { KnownImages } from './images.ts'
import { openPrefetches } from './prefetches.ts'

const image = (more: Partial<ImageReference> = {}): ImageReference => ({
  name: 'debian',
  source: { kind: 'blob', key: 'images/x' },
  size: 1000,
  disk_format: 'raw',
  os_hash_algo: 'sha256',
  os_hash_value: randomBytes(32).toString('hex'),
  ...more,
})

function setUp(fetch: KnownImages['fetch']) {
  const told: PrefetchProgress[] = []
  const released: string[] = []
  const files = { fetch, release: async (plan: string) => void released.push(plan) } as unknown as KnownImages
  const clock = new ManualClock()
  const cache = {} as ChunkCache
  const prefetches = openPrefetches({
    cache,
    files,
    quota: 1e9,
    clock,
    log: memoryLog(),
    tell: (each) => told.push(each),
  })
  const phases = (): string[] => told.map(({ phase, percent }) => `${phase} ${percent}`)
  return { prefetches, told, phases, released, clock }
}

it('says how far it is while it fetches, and when it is done', async () => {
  const gate = Promise.withResolvers<void>()
  const { prefetches, phases, released, clock } = setUp(async (_, options) => {
    options.progress(40)
    await gate.promise
    return { url: '', algorithm: '', digest: '' }
  })
  prefetches.ask('a', image())
  prefetches.ask('a', image())
  await clock.advance(10_000)
  expect(phases()).toEqual(['running 0', 'running 40'])
  gate.resolve()
  await expect.poll(() => phases().at(-1)).toBe('done 100')
  await expect.poll(() => released).toEqual(['prefetch a'])
})

it('tells why it failed, and that it was cancelled', async () => {
  const { prefetches, told, phases } = setUp(async (_, { signal }) => {
    if (told.length > 2) throw new HardwareError('no space left on this site’s disk')
    return new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  })
  prefetches.ask('b', image())
  prefetches.ask('b', null)
  await expect.poll(() => phases()).toEqual(['running 0', 'cancelled 0'])
  await prefetches.stop()
  prefetches.ask('c', image())
  prefetches.ask('d', image())
  await expect.poll(() => told.filter(({ phase }) => phase === 'failed').length).toBeGreaterThan(0)
  expect(told.find(({ phase }) => phase === 'failed')?.note).toContain('no space left')
  await prefetches.stop()
})

it('takes so many at once and no more', async () => {
  const { prefetches, told } = setUp(
    (_, { signal }) =>
      new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  )
  for (let at = 0; at < 20; at += 1) prefetches.ask(`i${at}`, image())
  expect(told.filter(({ note }) => note?.includes('being prefetched here already')).length).toBe(4)
  await prefetches.stop()
  expect(told.filter(({ phase }) => phase === 'cancelled').length).toBe(16)
})
