import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchFailure } from '../failure.ts'
import { OutcomeError } from '../usage.ts'

const TRIES = 5
const STALLED_MS = 60_000

/** Into the file, going on where a connection broke, if the server has ranges. */
export async function downloadTo(
  url: string,
  path: string,
  counter: (total: number) => (bytes: number) => void,
): Promise<void> {
  let tag: string | null = null
  let count: ((bytes: number) => void) | undefined
  for (let attempt = 1; ; attempt += 1) {
    const have = await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
    try {
      const stalled = new AbortController()
      const watch = setTimeout(() => stalled.abort(new Error(`nothing moved for ${STALLED_MS / 1000} s`)), STALLED_MS)
      try {
        const range = have > 0 ? { range: `bytes=${have}-`, ...(tag !== null && { 'if-range': tag }) } : {}
        const reply = await fetch(url, { headers: { 'accept-encoding': 'identity', ...range }, signal: stalled.signal })
        if (reply.status === 416 && have > 0) return
        if (!reply.ok || !reply.body) {
          if (reply.status < 500) throw new OutcomeError(`${shown(url)} was answered HTTP ${reply.status}`)
          throw new Error(`HTTP ${reply.status}`)
        }
        tag = reply.headers.get('etag')
        const goesOn = reply.status === 206
        const length = Number(reply.headers.get('content-length') ?? 0)
        count ??= counter(length)
        const counting = new Transform({
          transform(chunk: Buffer, _, done) {
            watch.refresh()
            count?.(chunk.length)
            done(null, chunk)
          },
        })
        await pipeline(
          Readable.fromWeb(reply.body as never),
          counting,
          createWriteStream(path, { flags: goesOn ? 'a' : 'w', mode: 0o600 }),
        )
        return
      } finally {
        clearTimeout(watch)
      }
    } catch (error) {
      if (error instanceof OutcomeError) throw error
      if (attempt === TRIES)
        throw new OutcomeError(`${shown(url)} can't be downloaded: ${fetchFailure(error)?.said ?? String(error)}`)
      await sleep(1000 * attempt)
    }
  }
}

/** Without what may be a secret in it. */
function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
