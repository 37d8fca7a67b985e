import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import { CommandFailure } from '../failure.ts'
import { open, type Trust } from '../http.ts'
import { reason, withoutSecrets, type Log } from '../log.ts'

export interface Downloading {
  trust: Trust
  clock: Clock
  log: Log
  /** Silence after which a connection counts as broken. */
  seconds: number
  /** Failures in a row, with no progress worth the name between them, that are borne. */
  retries: number
  retryInterval: number
  /** Public keys of which one must have signed an image; none: it need not be signed. */
  imageKeys: readonly string[]
}

export interface Source {
  /** What errors call it. */
  id: string
  /** Places of the same bytes; after a failure the next one is asked. */
  urls: readonly string[]
  authorization?: string
  /** Called once, before the first byte, with the size if the server says it. May refuse by throwing. */
  begin?: (total: number | undefined) => void
}

const worthTheName = 1024 * 1024
/** Replies that another attempt may change: too early, too many, and all that are the server's fault. */
const mayPass = (status: number) => status >= 500 || [408, 425, 429].includes(status)

interface Place {
  position: number
  total?: number
  etag?: string
}

/** The stored bytes of an image, once, in order: a broken connection is taken up at the byte where it broke. */
export async function* download(source: Source, means: Downloading): AsyncGenerator<Buffer, void, void> {
  const place: Place = { position: 0 }
  let failures = 0
  let before = 0
  for (let attempt = 0; ; attempt++) {
    const url = source.urls[attempt % source.urls.length] ?? ''
    try {
      yield* take(await open(means.trust, request(url, source, place, means.seconds)), place, source)
      return
    } catch (error) {
      if (error instanceof CommandFailure) throw error
      if (place.position - before >= worthTheName) failures = 0
      before = place.position
      if (++failures > means.retries) {
        const what = `image ${source.id}: the download failed at byte ${place.position}, attempt ${attempt + 1}`
        throw new CommandFailure('ImageDownloadError', what, { cause: error })
      }
      const facts = { image: source.id, url: withoutSecrets(url), at: place.position, because: reason(error) }
      means.log.warn('download interrupted', facts)
    }
    await means.clock.sleep(means.retryInterval * 1000)
  }
}

function request(url: string, source: Source, { position, etag }: Place, seconds: number) {
  const headers: Record<string, string> = {}
  if (source.authorization !== undefined) headers.authorization = source.authorization
  if (position > 0) headers.range = `bytes=${position}-`
  // If the image changed meanwhile, the server then sends the whole of the new one, which `take` notices.
  if (position > 0 && etag !== undefined) headers['if-range'] = etag
  return { url, headers, seconds }
}

async function* take(reply: IncomingMessage, place: Place, source: Source): AsyncGenerator<Buffer, void, void> {
  try {
    const again = accept(reply, place, source)
    // A server without ranges sends everything anew: what we have is read past, and the digest tells if it is the same.
    let skip = again ? place.position : 0
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      const fresh = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - fresh.length
      if (place.total !== undefined && place.position + fresh.length > place.total)
        throw failed(source, 'the server sent more than it announced')
      place.position += fresh.length
      if (fresh.length > 0) yield fresh
    }
  } finally {
    reply.destroy()
  }
  if (place.total !== undefined && place.position < place.total)
    throw new Error(`the connection ended after ${place.position} of ${place.total} bytes`)
}

/** Judges a reply by its head; true if it starts at the first byte although we asked for a later one. */
function accept(reply: IncomingMessage, place: Place, source: Source): boolean {
  const status = reply.statusCode ?? 0
  if (status !== 200 && status !== 206) {
    if (mayPass(status)) throw new Error(`the server answered ${status}`)
    throw failed(source, `the server answered ${status}`)
  }
  const total = totalOf(reply, place.position)
  if (place.position === 0) {
    place.total = total
    place.etag = strongTag(reply)
    source.begin?.(total)
  } else if (total !== place.total || (place.etag !== undefined && strongTag(reply) !== place.etag))
    throw failed(source, 'it changed on the server while it was downloaded')
  return status === 200
}

function failed(source: Source, why: string): CommandFailure {
  return new CommandFailure('ImageDownloadError', `image ${source.id} cannot be downloaded: ${why}`)
}

function totalOf(reply: IncomingMessage, position: number): number | undefined {
  if (reply.statusCode === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(reply.headers['content-range'] ?? '')
    if (Number(range?.[1]) !== position)
      throw new Error(`asked for bytes from ${position}, was sent ${reply.headers['content-range'] ?? 'no range'}`)
    return range?.[2] === undefined || range[2] === '*' ? undefined : Number(range[2])
  }
  const length = reply.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/** A weak tag may not be used with ranges (RFC 9110 §13.1.5). */
function strongTag(reply: IncomingMessage): string | undefined {
  const { etag } = reply.headers
  return etag === undefined || etag.startsWith('W/') ? undefined : etag
}
