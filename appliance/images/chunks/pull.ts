import type { Clock } from '../../clock.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import { ExpiredUrl } from '../download.ts'

/** One small object over the WAN, however often its line breaks. */
export interface Pull {
  /** For errors: `chunk 3f… of image debian`. */
  what: string
  limit: number
  /** Asked before each attempt; rejects with ExpiredUrl while none is known. */
  url(): Promise<string>
  /** The URL was refused. */
  expired(): void
  /** Undefined where the bytes are not those that were meant. */
  accept(bytes: Buffer): Promise<boolean>
  /** Whether anybody still wants it. */
  wanted(): boolean
  trouble(text: string): void
  /** Bytes that came in, wanted or not. */
  received(bytes: number): void
  /** Silence after which a connection is given up. */
  stallMs?: number | undefined
}

/** All who wanted it have gone. */
export class Abandoned extends Error {}

const STALL_MS = 30_000
const PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000
/** A store that gives wrong bytes this often has no others. */
const WRONG = 3

export async function pull(job: Pull, clock: Clock, get: typeof fetch): Promise<Buffer> {
  for (let attempt = 0, wrong = 0; ; attempt += 1) {
    if (!job.wanted()) throw new Abandoned(`${job.what}: nobody waits for it any more`)
    try {
      const bytes = await attemptOf(job, get)
      if (await job.accept(bytes)) return bytes
      wrong += 1
      if (wrong === WRONG)
        throw new HardwareError(
          `${job.what} is not what was ordered: its store gives other bytes; push the image again`,
        )
      job.trouble(`${job.what} came with wrong bytes`)
    } catch (error) {
      if (error instanceof HardwareError) throw error
      if (error instanceof ExpiredUrl) job.expired()
      job.trouble(sentence(error))
    }
    await clock.sleep(Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** Math.min(attempt, 6)))
  }
}

async function attemptOf(job: Pull, get: typeof fetch): Promise<Buffer> {
  const url = await job.url()
  const stalled = new AbortController()
  const watch = setTimeout(() => stalled.abort(new Error('stalled')), job.stallMs ?? STALL_MS)
  try {
    const reply = await get(url, { headers: { 'accept-encoding': 'identity' }, signal: stalled.signal })
    if ([401, 403, 410].includes(reply.status)) throw new ExpiredUrl(`its URL is refused (HTTP ${reply.status})`)
    if (reply.status === 404) throw new HardwareError(`${job.what} is no longer in the store; push the image again`)
    if (!reply.ok || !reply.body) throw new Error(`HTTP ${reply.status}`)
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of reply.body as unknown as AsyncIterable<Uint8Array>) {
      watch.refresh()
      size += part.length
      job.received(part.length)
      if (size > job.limit)
        throw new HardwareError(`${job.what} is larger than the ${job.limit} bytes that it may have`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  } finally {
    clearTimeout(watch)
    stalled.abort(new Error('over'))
  }
}
