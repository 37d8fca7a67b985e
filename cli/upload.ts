import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { OutcomeError } from './usage.ts'

const CHUNK = 1024 * 1024
const TRIES = 4
const STALLED_MS = 60_000
const ANSWER_LIMIT = 4096

export type Count = (bytes: number) => void

export async function sha256OfFile(path: string, count: Count): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    hash.update(chunk as Buffer)
    count((chunk as Buffer).length)
  }
  return hash.digest('hex')
}

/** One PUT of the whole file. Broken connections and servers' failures are tried again from the start; a refusal is not. */
export async function upload(
  to: { url: string; headers: Record<string, string> },
  path: string,
  size: number,
  counter: () => Count,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    let why: string
    try {
      const { status, text } = await put(to, path, size, counter())
      if (status >= 200 && status < 300) return
      why = `HTTP ${status} ${text}`
      if (status < 500) throw new OutcomeError(`the upload of ${path} was refused: ${why}`)
    } catch (error) {
      if (error instanceof OutcomeError) throw error
      why = String(error)
    }
    if (attempt === TRIES) throw new OutcomeError(`the upload of ${path} failed ${TRIES} times; at last: ${why}`)
    await sleep(1000 * 2 ** attempt)
  }
}

async function put(
  to: { url: string; headers: Record<string, string> },
  path: string,
  size: number,
  count: Count,
): Promise<{ status: number; text: string }> {
  const send = to.url.startsWith('https:') ? httpsRequest : httpRequest
  const request = send(to.url, { method: 'PUT', headers: { ...to.headers, 'content-length': size } })
  request.setTimeout(STALLED_MS, () => request.destroy(new Error(`nothing moved for ${STALLED_MS / 1000} s`)))
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
  })
  const counting = new Transform({
    transform(chunk: Buffer, _, done) {
      count(chunk.length)
      done(null, chunk)
    },
  })
  const sent = pipeline(createReadStream(path, { highWaterMark: CHUNK }), counting, request)
  // A server that refuses answers before it has read everything: then its answer counts, not the broken pipe.
  sent.catch(() => undefined)
  const response = await answered
  let text = ''
  for await (const chunk of response) if (text.length < ANSWER_LIMIT) text += String(chunk)
  return { status: response.statusCode ?? 0, text: text.slice(0, ANSWER_LIMIT) }
}
