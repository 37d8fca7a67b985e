import { type PrefetchProgress, TELL_SECONDS } from '../../contract/images/prefetch.ts'
import type { ImageReference } from '../../contract/plan-sources.ts'
import type { Clock } from '../clock.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { Log } from '../log.ts'
import type { ChunkCache } from './chunks/chunk-cache.ts'
import type { Want } from './chunks/objects.ts'
import type { KnownImages } from './images.ts'

/** Images that are fetched before a deploy wants them, as the cloud asks; what deploys want comes before that. */
export interface Prefetches {
  /** `wanted`: null where it is wanted no more. */
  ask(image: string, wanted: ImageReference | null): void
  stop(): Promise<void>
}

export interface PrefetchParts {
  cache: ChunkCache
  files: KnownImages
  quota: number
  clock: Clock
  log: Log
  tell(progress: PrefetchProgress): void
}

const AT_ONCE = 8
const MOST = 16
const TELL_MS = (TELL_SECONDS / 2) * 1000

export function openPrefetches({ cache, files, quota, clock, log, tell }: PrefetchParts): Prefetches {
  const running = new Map<string, { stop: AbortController; work: Promise<void> }>()

  async function run(image: string, wanted: ImageReference, signal: AbortSignal): Promise<void> {
    let note: string | null = null
    let percent = 0
    const done = new AbortController()
    const told = AbortSignal.any([signal, done.signal])
    void (async () => {
      for (;;) {
        tell({ image, phase: 'running', percent, note })
        await clock.sleep(TELL_MS, told)
      }
    })().catch(() => {})
    const want: Want = {
      lane: `prefetch ${image}`,
      urgent: false,
      signal,
      trouble: (text) => (note = text.slice(0, 1024)),
    }
    const progress = (now: number): void => void (percent = Math.min(100, now))
    try {
      if (wanted.manifest) await chunks(wanted, want, progress)
      else await files.fetch(wanted, { ...want, commandOf: want.lane, progress })
      done.abort()
      tell({ image, phase: 'done', percent: 100, note: null })
      log.info({ image: wanted.name }, 'image prefetched')
    } catch (error) {
      done.abort()
      const why = sentence(error).slice(0, 1024)
      tell({ image, phase: signal.aborted ? 'cancelled' : 'failed', percent, note: signal.aborted ? null : why })
      log.warn({ image: wanted.name, error: why }, 'image not prefetched')
    } finally {
      await files.release(want.lane)
    }
  }

  async function chunks(wanted: ImageReference, want: Want, progress: (percent: number) => void): Promise<void> {
    const image = await cache.open(wanted, want)
    const { stored_size: size } = image.manifest
    if (size > quota)
      throw new HardwareError(
        `image ${image.name} takes ${size} bytes, and this site's cache has ${quota}: raise image_cache_gib`,
      )
    cache.hold(image)
    try {
      const all = image.pageOf.keys()
      let done = 0
      const lane = async (): Promise<void> => {
        for (const sha256 of all) {
          want.signal.throwIfAborted()
          if (!(await cache.has(sha256))) await cache.stored(image, sha256, want)
          done += 1
          progress((done * 100) / image.pageOf.size)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
      for (const sha256 of image.pageOf.keys())
        if (!(await cache.has(sha256)))
          throw new HardwareError(`this site's disk has no room for all of image ${image.name}`)
      await cache.touch(image)
    } finally {
      cache.letGo(image)
    }
  }

  return {
    ask(image, wanted) {
      const under = running.get(image)
      if (wanted === null) return under?.stop.abort(new Error('the prefetch was cancelled'))
      if (under) return undefined
      if (running.size >= MOST)
        return tell({
          image,
          phase: 'failed',
          percent: 0,
          note: `${MOST} images are being prefetched here already: ask again later`,
        })
      const stop = new AbortController()
      const work = run(image, wanted, stop.signal).finally(() => running.delete(image))
      running.set(image, { stop, work })
      return undefined
    },
    async stop() {
      for (const { stop } of running.values()) stop.abort(new Error('the appliance is going down'))
      await Promise.all([...running.values()].map(({ work }) => work))
    },
  }
}
