import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { readFile, rename, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageReference } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Urls } from '../ledger/urls.ts'
import { toRaw } from './convert.ts'
import { download } from './download.ts'
import { evict } from './evict.ts'
import type { FetchOptions, Images } from './images.ts'

const SMALL = 64 * 1024 * 1024

export interface CacheParts {
  dir: string
  /** Bytes that finished images may take together. */
  quota: number
  urls: Urls
  refresh(plan: string): void
  clock: Clock
  get: typeof fetch
  /** Files that plans in progress need. */
  inUse(): string[]
  /** The URL under which this plan's agent may get the cached file. */
  serve(plan: string, file: string): string
}

type Fetch = FetchOptions & { progress(percent: number): void }

/** Images by their digest. A file without `.part` is whole and verified; it is renamed to that name only then. */
export function openCache(parts: CacheParts): Images & { path(file: string): string } {
  mkdirSync(parts.dir, { recursive: true, mode: 0o700 })
  const flights = new Map<string, { work: Promise<string>; watchers: Set<(percent: number) => void> }>()
  const path = (file: string): string => join(parts.dir, file)

  async function bring(image: ImageReference, options: Fetch): Promise<string> {
    const file = `${image.os_hash_algo}-${image.os_hash_value}`
    const raw = image.disk_format === 'raw' ? file : `${file}.raw`
    if (await touch(path(raw))) return raw
    if (!(await touch(path(file)))) {
      const part = path(`${file}.part`)
      const actual = await download(
        {
          name: image.name,
          url: () => parts.urls.urlOf(image.source),
          path: part,
          algorithm: image.os_hash_algo,
          size: image.size,
          limit: parts.quota,
          signal: options.signal,
          progress: options.progress,
          expired: () => parts.refresh(options.commandOf),
          trouble: options.trouble,
        },
        parts.clock,
        parts.get,
      )
      if (actual !== image.os_hash_value) {
        await rm(part, { force: true })
        throw new HardwareError(
          `image ${image.name} is not what was ordered: expected ${image.os_hash_algo} ${image.os_hash_value}, but its source gives ${actual}`,
        )
      }
      await rename(part, path(file))
    }
    if (raw !== file) await toRaw(path(file), path(raw), image, options.signal)
    await evict(parts.dir, parts.quota, new Set([raw, ...parts.inUse()]))
    return raw
  }

  /** However many plans want it at once, an image is fetched once; the last one to leave ends the transfer. */
  async function single(image: ImageReference, options: Fetch): Promise<string> {
    const key = `${image.os_hash_algo}-${image.os_hash_value}`
    for (;;) {
      const flight = flights.get(key)
      if (!flight) {
        const watchers = new Set([options.progress])
        const tell = (percent: number): void => watchers.forEach((watcher) => watcher(percent))
        const work = bring(image, { ...options, progress: tell }).finally(() => flights.delete(key))
        flights.set(key, { work, watchers })
        return work
      }
      flight.watchers.add(options.progress)
      try {
        return await unless(options.signal, flight.work)
      } catch (error) {
        options.signal.throwIfAborted()
        // Whoever fetched was stopped: take over. Any other failure is everyone's.
        if (error instanceof HardwareError) throw error
      } finally {
        flight.watchers.delete(options.progress)
      }
    }
  }

  return {
    path,
    async fetch(image, options) {
      const file = await single(image, options)
      const served = file.endsWith('.raw')
        ? { algorithm: 'sha256', digest: await digestOf(path(file), options.signal) }
        : { algorithm: image.os_hash_algo, digest: image.os_hash_value }
      return { url: parts.serve(options.commandOf, file), ...served }
    },
    async bytes(blob, { commandOf, signal, trouble }) {
      if ((blob.size ?? 0) > SMALL) throw new HardwareError(`${blob.size} bytes are more than a config drive may have`)
      const part = path(`blob-${commandOf}.part`)
      try {
        const actual = await download(
          {
            name: 'config drive',
            url: () => parts.urls.urlOf(blob.source),
            path: part,
            algorithm: 'sha256',
            size: blob.size,
            limit: SMALL,
            signal,
            progress: () => {},
            expired: () => parts.refresh(commandOf),
            trouble,
          },
          parts.clock,
          parts.get,
        )
        if (blob.sha256 !== null && actual !== blob.sha256)
          throw new HardwareError('the config drive is not what was ordered')
        return await readFile(part)
      } finally {
        await rm(part, { force: true })
      }
    },
  }
}

async function touch(path: string): Promise<boolean> {
  const now = new Date()
  return utimes(path, now, now).then(
    () => true,
    () => false,
  )
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
