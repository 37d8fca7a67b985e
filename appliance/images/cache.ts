import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteSource, ConfigDriveReference, ImageReference, InstanceFile } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Urls } from '../ledger/urls.ts'
import { toRaw } from './convert.ts'
import { type Download, download, downloadExpecting } from './download.ts'
import { configDriveFile, DIGEST, evict } from './evict.ts'
import type { FetchOptions, Images } from './images.ts'

const SMALL = 64 * 1024 * 1024

export interface CacheParts {
  dir: string
  /** Bytes that finished images may take together. */
  quota: number
  urls: Urls
  /** Asks the cloud for a fresh URL. */
  refresh(source: ByteSource): void
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
  const flights = new Map<string, { work: Promise<string>; watchers: Set<Fetch> }>()
  const path = (file: string): string => join(parts.dir, file)
  /** By plan: what it was given to boot, until the ledger has it. */
  const given = new Map<string, Set<string>>()

  async function bring(image: ImageReference, options: Fetch): Promise<string> {
    const file = `${image.os_hash_algo}-${image.os_hash_value}`
    const raw = image.disk_format === 'raw' ? file : `${file}.raw`
    if (await touch(path(raw))) return raw
    if (!(await touch(path(file)))) {
      const part = path(`${file}.part`)
      await makeRoom(Math.max(0, parts.quota - (image.size ?? 0)), file)
      const actual = await downloadExpecting(
        image.os_hash_value,
        {
          name: image.name,
          url: () => parts.urls.urlOf(image.source),
          path: part,
          algorithm: image.os_hash_algo,
          size: image.size,
          limit: parts.quota,
          signal: options.signal,
          progress: options.progress,
          expired: () => parts.refresh(image.source),
          trouble: options.trouble,
        },
        parts.clock,
        parts.get,
      )
      if (actual !== image.os_hash_value)
        throw new HardwareError(
          `image ${image.name} is not what was ordered: expected ${image.os_hash_algo} ${image.os_hash_value}, but its source gives ${actual}`,
        )
      await rename(part, path(file))
    }
    if (raw !== file) await convert(image, file, raw, options.signal)
    await makeRoom(parts.quota, raw)
    return raw
  }

  function makeRoom(quota: number, file: string): Promise<void> {
    const moving = [...flights.keys()].flatMap((key) => [key, `${key}.raw`])
    return evict(
      parts.dir,
      quota,
      new Set([file, ...moving, ...[...given.values()].flatMap((files) => [...files]), ...parts.inUse()]),
    )
  }

  async function convert(image: ImageReference, file: string, raw: string, signal: AbortSignal): Promise<void> {
    await rm(path(raw + DIGEST), { force: true })
    await writeFile(path(raw + DIGEST), await toRaw(path(file), path(raw), image, signal))
  }

  /** Of a file that was converted here, as it was then: a disk that lets it rot is found out by the agent. */
  async function digestOfRaw(file: string, signal: AbortSignal): Promise<string> {
    const known = await readFile(path(file + DIGEST), 'latin1').catch(() => '')
    if (/^[0-9a-f]{64}$/.test(known)) return known
    const digest = await digestOf(path(file), 'sha256', signal)
    await writeFile(path(file + DIGEST), digest)
    return digest
  }

  async function isSound({ os_hash_algo, os_hash_value }: ImageReference, signal: AbortSignal): Promise<boolean> {
    const file = `${os_hash_algo}-${os_hash_value}`
    const is = async (name: string, algorithm: string, expected: string): Promise<boolean> => {
      if (!(await touch(path(name))) || (await digestOf(path(name), algorithm, signal)) === expected) return true
      for (const each of [name, name + DIGEST]) await rm(path(each), { force: true })
      return false
    }
    const raw = await readFile(path(`${file}.raw${DIGEST}`), 'latin1').catch(() => undefined)
    const whole = await is(file, os_hash_algo, os_hash_value)
    return (raw === undefined || (await is(`${file}.raw`, 'sha256', raw))) && whole
  }

  /** However many plans want it at once, a file is fetched once; when the one who fetches is stopped, another takes over. */
  async function single(key: string, options: Fetch, bringIt: (options: Fetch) => Promise<string>): Promise<string> {
    for (;;) {
      const flight = flights.get(key)
      if (!flight) {
        const watchers = new Set([options])
        const shared: Fetch = {
          ...options,
          progress: (percent) => watchers.forEach((watcher) => watcher.progress(percent)),
          trouble: (text) => watchers.forEach((watcher) => watcher.trouble(text)),
        }
        const work = bringIt(shared).finally(() => flights.delete(key))
        flights.set(key, { work, watchers })
        return work
      }
      flight.watchers.add(options)
      try {
        return await unless(options.signal, flight.work)
      } catch (error) {
        options.signal.throwIfAborted()
        // Whoever fetched was stopped: take over. Any other failure is everyone's.
        if (error instanceof HardwareError) throw error
      } finally {
        flight.watchers.delete(options)
      }
    }
  }

  /** Without a digest it is fetched anew: what a URL gives may change. */
  async function bringFile({ url, digest }: InstanceFile, key: string, what: string, options: Fetch): Promise<string> {
    if (digest && (await touch(path(key)))) return key
    const algorithm = digest?.algorithm ?? 'sha256'
    const part = path(`${key}.part`)
    if (!digest) await rm(part, { force: true })
    await makeRoom(parts.quota, key)
    const job: Download = {
      name: what,
      url: () => url,
      path: part,
      algorithm,
      size: null,
      limit: parts.quota,
      signal: options.signal,
      progress: options.progress,
      expired: () => {},
      trouble: options.trouble,
    }
    const actual = digest
      ? await downloadExpecting(digest.value, job, parts.clock, parts.get)
      : await download(job, parts.clock, parts.get)
    if (digest && actual !== digest.value)
      throw new HardwareError(
        `${what} is not what was ordered: expected ${algorithm} ${digest.value}, but its URL gives ${actual}`,
      )
    const file = `${algorithm}-${actual}`
    await rename(part, path(file))
    await makeRoom(parts.quota, file)
    return file
  }

  /** Kept while its plan is open: a site that is cut off after a crash still has it. */
  async function bringDrive(
    drive: ConfigDriveReference,
    source: ByteSource,
    file: string,
    options: Fetch,
  ): Promise<string> {
    if (await touch(path(file))) return file
    const part = path(`${file}.part`)
    const actual = await download(
      {
        name: 'config drive',
        url: () => parts.urls.urlOf(source),
        path: part,
        algorithm: 'sha256',
        size: drive.size,
        limit: SMALL,
        signal: options.signal,
        progress: () => {},
        expired: () => parts.refresh(source),
        trouble: options.trouble,
      },
      parts.clock,
      parts.get,
    )
    if (drive.sha256 !== null && actual !== drive.sha256) {
      await rm(part, { force: true })
      throw new HardwareError(
        `the config drive is not what was ordered: expected sha256 ${drive.sha256}, got ${actual}`,
      )
    }
    await rename(part, path(file))
    return file
  }

  return {
    path,
    async fetch(image, options) {
      const file = await single(`${image.os_hash_algo}-${image.os_hash_value}`, options, (shared) =>
        bring(image, shared),
      )
      const served = file.endsWith('.raw')
        ? { algorithm: 'sha256', digest: await digestOfRaw(file, options.signal) }
        : { algorithm: image.os_hash_algo, digest: image.os_hash_value }
      return { url: parts.serve(options.commandOf, file), ...served }
    },
    isSound,
    async file(wanted, what, options) {
      const { url, digest } = wanted
      const key = digest
        ? `${digest.algorithm}-${digest.value}`
        : `url-${createHash('sha256').update(url).digest('hex')}`
      const file = await single(key, options, (shared) => bringFile(wanted, key, what, shared))
      given.set(options.commandOf, (given.get(options.commandOf) ?? new Set()).add(file))
      return file
    },
    async configDrive(drive, options) {
      const { source } = drive
      if (source.kind === 'inline') return source.text
      if ((drive.size ?? 0) > SMALL)
        throw new HardwareError(`${drive.size} bytes are more than a config drive may have`)
      const file = configDriveFile(options.commandOf)
      await single(file, { ...options, progress: () => {} }, (shared) => bringDrive(drive, source, file, shared))
      return readFile(path(file), 'latin1')
    },
    async release(plan) {
      given.delete(plan)
      for (const file of [configDriveFile(plan), `${configDriveFile(plan)}.part`]) await rm(path(file), { force: true })
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

async function digestOf(path: string, algorithm: string, signal: AbortSignal): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
