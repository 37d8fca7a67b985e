import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat, truncate } from 'node:fs/promises'
import type { DigestAlgorithm } from '../../contract/images/checksum.ts'
import type { Clock } from '../clock.ts'
import { HardwareError, sentence } from '../hardware-error.ts'

const RETRY_MS = 3000
const STALL_MS = 30_000

/** The server says that this URL is no longer good. */
export class ExpiredUrl extends Error {}

export interface Download {
  /** For errors: what is being fetched. */
  name: string
  /** Asked before every attempt, because signed URLs are renewed. */
  url(): string | undefined
  /** Bytes that are here already are kept and asked no more. */
  path: string
  algorithm: DigestAlgorithm
  size: number | null
  limit: number
  signal: AbortSignal
  /** Silence after which a connection is given up. */
  stallMs?: number
  progress(percent: number): void
  /** The URL was refused: ask for another; undefined where there is no other. */
  expired: (() => void) | undefined
  /** An attempt failed in a way that may pass. */
  trouble(text: string): void
}

/** What of the file is here, and its digest so far. */
interface Part {
  have: number
  hash: Hash
}

/** Fetches with ranged GETs until all is here, however often the connection breaks or the WAN is cut, for as long as `signal` lets it.
 * Resolves to the digest of the whole. */
export async function download(job: Download, clock: Clock, get: typeof fetch): Promise<string> {
  let part: Part | undefined
  for (;;) {
    job.signal.throwIfAborted()
    try {
      // Read again only after a write that failed halfway: a large image takes minutes to read.
      if (!part || (await sizeOf(job.path)) !== part.have) part = await readPart(job)
      if (await attempt(job, part, get)) return part.hash.digest('hex')
    } catch (error) {
      job.signal.throwIfAborted()
      if (error instanceof HardwareError) throw error
      if (isFull(error)) throw new HardwareError(`no space left on this site's disk for image ${job.name}`)
      if (error instanceof ExpiredUrl) job.expired?.()
      job.trouble(sentence(error))
    }
    await clock.sleep(RETRY_MS, job.signal)
  }
}

/** As `download`, but bytes of an earlier life, which a power cut may have torn, are not held against the source: it is judged by a
 * transfer of its own. A file that is not what was expected is gone when this resolves. */
export async function downloadExpecting(
  expected: string,
  job: Download,
  clock: Clock,
  get: typeof fetch,
): Promise<string> {
  const resumed = (await sizeOf(job.path)) > 0
  const actual = await download(job, clock, get)
  if (actual === expected) return actual
  await rm(job.path, { force: true })
  return resumed ? downloadExpecting(expected, job, clock, get) : actual
}

/** One connection's worth. False: there is more. */
async function attempt(job: Download, part: Part, get: typeof fetch): Promise<boolean> {
  if (job.size !== null && part.have >= job.size) return true
  const url = job.url()
  if (url === undefined) throw new ExpiredUrl('its URL has not arrived yet')
  const stalled = new AbortController()
  const watch = setTimeout(() => stalled.abort(new Error('stalled')), job.stallMs ?? STALL_MS)
  try {
    const reply = await get(url, {
      // Compressed on the way, its length and its ranges would not be the file's.
      headers: { 'accept-encoding': 'identity', ...(part.have > 0 ? { range: `bytes=${part.have}-` } : {}) },
      signal: AbortSignal.any([job.signal, stalled.signal]),
      redirect: 'follow',
    })
    const total = judge(job, reply, part.have)
    if (total === 'complete') return true
    if (part.have > 0 && reply.status === 200) {
      // The server has no ranges: from the beginning, then.
      await truncate(job.path, 0)
      Object.assign(part, { have: 0, hash: createHash(job.algorithm) })
    }
    if (!reply.body) throw new Error('no body')
    await append(job, part, reply.body as unknown as AsyncIterable<Uint8Array>, () => {
      watch.refresh()
      if (total) job.progress(Math.min(100, (part.have * 100) / total))
    })
    return total === undefined || part.have >= total
  } finally {
    clearTimeout(watch)
    stalled.abort(new Error('over')) // whatever of the body was not wanted
  }
}

async function append(job: Download, part: Part, body: AsyncIterable<Uint8Array>, moved: () => void): Promise<void> {
  const file = await open(job.path, 'a', 0o600)
  try {
    for await (const chunk of body) {
      checkLength(job, part.have + chunk.length)
      await file.appendFile(chunk)
      part.hash.update(chunk)
      part.have += chunk.length
      moved()
    }
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** The whole size, where the reply tells it; 'complete' when what is asked for lies behind the end. */
function judge(job: Download, reply: Response, have: number): number | undefined | 'complete' {
  if (reply.status === 416 && have > 0) return 'complete'
  const isRefused = reply.status === 401 || reply.status === 403 || reply.status === 410
  if (isRefused && job.expired === undefined)
    throw new HardwareError(
      `image ${job.name} can't be fetched: its server refuses (HTTP ${reply.status}); check its URL and credentials`,
    )
  if (isRefused) throw new ExpiredUrl(`its URL is refused (HTTP ${reply.status})`)
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500) throw new Error(`HTTP ${reply.status}`)
  if (!reply.ok) throw new HardwareError(`image ${job.name} can't be fetched: its server answers HTTP ${reply.status}`)
  const ranged = /^bytes (\d+)-\d+\/(\d+)$/.exec(reply.headers.get('content-range') ?? '')
  if (reply.status === 206 && Number(ranged?.[1]) !== have) throw new Error('the server sent another range')
  const length = reply.headers.get('content-length')
  const total = ranged ? Number(ranged[2]) : length === null ? undefined : Number(length)
  checkLength(job, total ?? 0)
  return total ?? job.size ?? undefined
}

function checkLength(job: Download, bytes: number): void {
  if (bytes > job.limit)
    throw new HardwareError(
      `image ${job.name} is larger than the ${job.limit} bytes that this site's cache allows: raise image_cache_gib`,
    )
  if (job.size !== null && bytes > job.size)
    throw new HardwareError(`image ${job.name} is not what was ordered: its source gives more than ${job.size} bytes`)
}

function isFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (facts) => facts.size,
    () => 0,
  )
}

async function readPart(job: Download): Promise<Part> {
  const hash = createHash(job.algorithm)
  const have = await sizeOf(job.path)
  if (job.size !== null && have > job.size) {
    await truncate(job.path, 0)
    return { have: 0, hash }
  }
  if (have === 0) return { have, hash }
  const bytes = createReadStream(job.path, { highWaterMark: 1 << 20, end: have - 1, signal: job.signal })
  for await (const chunk of bytes) hash.update(chunk as Buffer)
  return { have, hash }
}
