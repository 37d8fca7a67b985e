import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat, truncate } from 'node:fs/promises'
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
  algorithm: 'sha256' | 'sha512'
  size: number | null
  limit: number
  signal: AbortSignal
  progress(percent: number): void
  /** The URL was refused: ask for another. */
  expired(): void
  /** An attempt failed in a way that may pass. */
  trouble(text: string): void
}

/** Fetches with ranged GETs until all is here, however often the connection breaks or the WAN is cut, for as long as `signal` lets it.
 * Resolves to the digest of the whole. */
export async function download(job: Download, clock: Clock, get: typeof fetch): Promise<string> {
  for (;;) {
    job.signal.throwIfAborted()
    try {
      const digest = await attempt(job, get)
      if (digest !== undefined) return digest
    } catch (error) {
      job.signal.throwIfAborted()
      if (error instanceof HardwareError) throw error
      if (error instanceof ExpiredUrl) job.expired()
      job.trouble(sentence(error))
    }
    await clock.sleep(RETRY_MS, job.signal)
  }
}

/** One connection's worth. Undefined: there is more. */
async function attempt(job: Download, get: typeof fetch): Promise<string | undefined> {
  const url = job.url()
  if (url === undefined) throw new ExpiredUrl('its URL has not arrived yet')
  let have = await sizeOf(job.path)
  const hash = await hashOf(job, have)
  if (job.size !== null && have >= job.size) return hash.digest('hex')
  const stalled = new AbortController()
  const watch = setTimeout(() => stalled.abort(new Error('stalled')), STALL_MS)
  try {
    const reply = await get(url, {
      headers: have > 0 ? { range: `bytes=${have}-` } : {},
      signal: AbortSignal.any([job.signal, stalled.signal]),
      redirect: 'follow',
    })
    const total = judge(job, reply, have)
    if (total === 'complete') return hash.digest('hex')
    if (have > 0 && reply.status === 200) {
      // The server has no ranges: from the beginning, then.
      await reply.body?.cancel()
      await truncate(job.path, 0)
      return undefined
    }
    if (!reply.body) throw new Error('no body')
    const file = await open(job.path, 'a', 0o600)
    try {
      for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) {
        watch.refresh()
        if (have + chunk.length > job.limit) throw tooLarge(job)
        hash.update(chunk)
        await file.write(chunk)
        have += chunk.length
        if (total) job.progress(Math.min(100, (have * 100) / total))
      }
      await file.datasync()
    } finally {
      await file.close()
    }
    return total === undefined || have >= total ? hash.digest('hex') : undefined
  } finally {
    clearTimeout(watch)
  }
}

/** The whole size, where the reply tells it; 'complete' when what is asked for lies behind the end. */
function judge(job: Download, reply: Response, have: number): number | undefined | 'complete' {
  if (reply.status === 416 && have > 0) return 'complete'
  if (reply.status === 401 || reply.status === 403 || reply.status === 410)
    throw new ExpiredUrl(`its URL is refused (HTTP ${reply.status})`)
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500) throw new Error(`HTTP ${reply.status}`)
  if (!reply.ok) throw new HardwareError(`image ${job.name} can't be fetched: its server answers HTTP ${reply.status}`)
  const ranged = /^bytes (\d+)-\d+\/(\d+)$/.exec(reply.headers.get('content-range') ?? '')
  if (reply.status === 206 && Number(ranged?.[1]) !== have) throw new Error('the server sent another range')
  const length = reply.headers.get('content-length')
  const total = ranged ? Number(ranged[2]) : length === null ? undefined : Number(length)
  if ((total ?? 0) > job.limit) throw tooLarge(job)
  return total ?? job.size ?? undefined
}

function tooLarge(job: Download): HardwareError {
  return new HardwareError(`image ${job.name} is larger than the ${job.limit} bytes that this site's cache allows`)
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (facts) => facts.size,
    () => 0,
  )
}

async function hashOf(job: Download, have: number): Promise<Hash> {
  const hash = createHash(job.algorithm)
  if (have === 0) return hash
  for await (const chunk of createReadStream(job.path, { highWaterMark: 1 << 20, end: have - 1 }))
    hash.update(chunk as Buffer)
  return hash
}
