import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteSource, ConfigDriveReference, ImageReference, InstanceFile } from '../../contract/plan-sources.ts'
import type { Clock } from '../clock.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Urls } from '../ledger/urls.ts'
import { type Download, download, downloadExpecting } from './download.ts'
import { configDriveFile, DIGEST, evict } from './evict.ts'
import type { FetchOptions, FoundImage, KnownImages } from './images.ts'
import { rawOf } from './raw-of.ts'

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
export function openCache(parts: CacheParts): KnownImages & { path(file: string): string } {
  mkdirSync(parts.dir, { recursive: true, mode: 0o700 })
  const flights = new Map<string, { work: Promise<string>; watchers: Set<Fetch> }>()
  const path = (file: string): string => join(parts.dir, file)
  /** By plan: what it was given, which the ledger may not know yet, or not by this name. */
  const given = new Map<string, Set<string>>()
  const keep = (plan: string, file: string): void => void given.set(plan, (given.get(plan) ?? new Set()).add(file))

  async function bring(image: ImageReference | FoundImage, options: Fetch): Promise<string> {
    const file = fileOf(image)
    const raw = isRaw(image) ? file : `${file}.raw`
    if (await touch(path(raw))) return raw
    const place = placeOf(image)
    if (!(await touch(path(file)))) {
      const part = path(`${file}.part`)
      await makeRoom(Math.max(0, parts.quota - (image.size ?? 0)), file)
      const actual = await downloadExpecting(
        image.os_hash_value,
        {
          name: image.name,
          url: place.url,
          path: part,
          algorithm: image.os_hash_algo,
          size: image.size,
          limit: parts.quota,
          signal: options.signal,
          progress: options.progress,
          expired: place.expired,
          trouble: options.trouble,
        },
        parts.clock,
        place.get,
      )
      if (actual !== image.os_hash_value)
        throw new HardwareError(
          `image ${image.name} is not what was ordered: expected ${image.os_hash_algo} ${image.os_hash_value}, but its source gives ${actual}`,
        )
      await rename(part, path(file))
    }
    const whole = raw === file || !(await convert(image, file, raw, options.signal)) ? file : raw
    await makeRoom(parts.quota, whole)
    return whole
  }

  function placeOf(image: ImageReference | FoundImage): Pick<Download, 'url' | 'expired'> & { get: typeof fetch } {
    if ('get' in image) return { url: () => image.url, expired: undefined, get: image.get }
    const { source } = image
    return {
      url: () => parts.urls.urlOf(source),
      expired: source.kind === 'blob' ? () => parts.refresh(source) : undefined,
      get: parts.get,
    }
  }

  function makeRoom(quota: number, file: string): Promise<void> {
    const moving = [...flights.keys()].flatMap((key) => [key, `${key}.raw`, `${key}.raw.unpacked`])
    return evict(
      parts.dir,
      quota,
      new Set([file, ...moving, ...[...given.values()].flatMap((files) => [...files]), ...parts.inUse()]),
    )
  }

  /** False: it is raw as it came. */
  async function convert(
    image: FoundImage | ImageReference,
    file: string,
    raw: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    await rm(path(raw + DIGEST), { force: true })
    const digest = await rawOf(path(file), path(raw), { isPacked: false, ...image }, { limit: parts.quota, signal })
    if (digest === undefined) return false
    await writeFile(path(raw + DIGEST), digest)
    return true
  }

  /** Of a file that was converted here, as it was then: a disk that lets it rot is found out by the agent. */
  async function digestOfRaw(file: string, signal: AbortSignal): Promise<string> {
    const known = await readFile(path(file + DIGEST), 'latin1').catch(() => '')
    if (/^[0-9a-f]{64}$/.test(known)) return known
    const digest = await digestOf(path(file), 'sha256', signal)
    await writeFile(path(file + DIGEST), digest)
    return digest
  }

  async function isSound(image: ImageReference | FoundImage, signal: AbortSignal): Promise<boolean> {
    const { os_hash_algo, os_hash_value } = image
    const file = fileOf(image)
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
      expired: undefined,
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

  async function file(wanted: InstanceFile, what: string, options: Fetch): Promise<string> {
    const { url, digest } = wanted
    const key = digest ? `${digest.algorithm}-${digest.value}` : `url-${createHash('sha256').update(url).digest('hex')}`
    const found = await single(key, options, (shared) => bringFile(wanted, key, what, shared))
    keep(options.commandOf, found)
    return found
  }

  return {
    path,
    async fetch(image, options) {
      const file = await single(fileOf(image), options, (shared) => bring(image, shared))
      keep(options.commandOf, file)
      // Agents know no MD5.
      const served =
        file.endsWith('.raw') || image.os_hash_algo === 'md5'
          ? { algorithm: 'sha256', digest: await digestOfRaw(file, options.signal) }
          : { algorithm: image.os_hash_algo, digest: image.os_hash_value }
      return { url: parts.serve(options.commandOf, file), ...served }
    },
    isSound: (image, { signal }) => isSound(image, signal),
    file,
    async text(wanted, what, most, options) {
      const bytes = await readFile(path(await file(wanted, what, { ...options, progress: () => {} })))
      if (bytes.length > most) throw new HardwareError(`${what} has ${bytes.length} bytes; at most ${most} are taken`)
      if (!isUtf8(bytes)) throw new HardwareError(`${what} is not a text in UTF-8`)
      return bytes.toString('utf8')
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

const fileOf = ({ os_hash_algo, os_hash_value }: ImageReference | FoundImage): string =>
  `${os_hash_algo}-${os_hash_value}`

/** Not only said to be. */
function isRaw(image: ImageReference | FoundImage): boolean {
  return image.disk_format === 'raw' && !('isPacked' in image && image.isPacked)
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
