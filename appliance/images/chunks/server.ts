import type { IncomingMessage, ServerResponse } from 'node:http'
import { CHUNK_BYTES, chunkLength, digest as digestSchema, PAGE_CHUNKS } from '../../../contract/images/manifest.ts'
import { canonical } from '../../../contract/images/canonical.ts'
import { ELSEWHERE } from '../../../contract/images/peers.ts'
import { byteRange } from '../../boot/http-file.ts'
import { HardwareError } from '../../hardware-error.ts'
import { askerIn } from '../peers/asker.ts'
import type { Tracker } from '../peers/tracker.ts'
import type { ChunkCache } from './chunk-cache.ts'
import type { PlansImage } from './plans-images.ts'

/** What a plan's agent may ask of its image: `manifest`, `pages/N` and `chunks/SHA256` of an agent that knows chunks, or the whole disk as
 * `raw` of one that doesn't, put together while it is sent. */

/** An agent is told to come again rather than kept waiting longer. */
const PATIENCE_MS = 20_000
const AHEAD = 4
const ZEROS = Buffer.alloc(CHUNK_BYTES)

export async function answerChunked(
  cache: ChunkCache,
  { plan, image, want }: PlansImage,
  path: string[],
  request: IncomingMessage,
  reply: ServerResponse,
  tracker?: Tracker,
): Promise<void> {
  const [what = '', which = ''] = path
  const gone = new AbortController()
  reply.once('close', () => gone.abort(new Error('the agent hung up')))
  if (what === 'leave') {
    tracker?.forget(plan)
    return status(reply, 204)
  }
  if (what === 'manifest') return whole(reply, request, image.text)
  if (what === 'raw') return raw(cache, { plan, image, want }, request, reply, gone.signal)
  if (what === 'pages') {
    const page = /^\d{1,5}$/.test(which) ? image.pages[Number(which)] : undefined
    return page ? whole(reply, request, Buffer.from(canonical(page))) : status(reply, 404)
  }
  if (what !== 'chunks' || !digestSchema.safeParse(which).success || !image.pageOf.has(which)) return status(reply, 404)
  const asker = tracker && askerIn(request, image.digest, plan)
  const peers = (asker && tracker?.others(asker, which)) ?? []
  if (peers.length > 0) return text(reply, ELSEWHERE, JSON.stringify({ peers }))
  // Said of a chunk of which wrong bytes arrived.
  if (new URL(request.url ?? '/', 'http://site').searchParams.has('again')) await cache.doubt(which)
  const here = await cache.here(which)
  // Left to the collector, what was sent would make it run for a fifth of the time.
  if (here) return whole(reply, request, here, () => (here.buffer as ArrayBuffer).transfer(0))
  const late = AbortSignal.timeout(PATIENCE_MS)
  try {
    const bytes = await cache.stored(image, which, want(true, AbortSignal.any([gone.signal, late])))
    return whole(reply, request, bytes)
  } catch (error) {
    if (error instanceof HardwareError) return text(reply, 502, error.message)
    return text(reply, 503, 'it is not here yet')
  }
}

async function raw(
  cache: ChunkCache,
  { image, want }: PlansImage,
  request: IncomingMessage,
  reply: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const size = image.manifest.virtual_size
  const range = byteRange(request.headers.range, size)
  if (range === 'unsatisfiable') {
    reply.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 }).end()
    return
  }
  const { first, last } = range ?? { first: 0, last: size - 1 }
  reply.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': last - first + 1,
    'accept-ranges': 'bytes',
    etag: `"${image.manifest.sha256}"`,
    ...(range && { 'content-range': `bytes ${first}-${last}/${size}` }),
  })
  if (request.method === 'HEAD') {
    reply.end()
    return
  }
  const bytesOf = async (index: number): Promise<Buffer> => {
    const length = chunkLength(image.manifest, index)
    const chunk = image.pages[Math.floor(index / PAGE_CHUNKS)]?.[index % PAGE_CHUNKS] ?? null
    return chunk === null ? ZEROS.subarray(0, length) : cache.plain(image, chunk, want(true, gone))
  }
  const end = Math.floor(last / CHUNK_BYTES)
  const ahead: Array<Promise<Buffer>> = []
  for (let next = Math.floor(first / CHUNK_BYTES), index = next; index <= end; index += 1) {
    for (; next <= end && ahead.length < AHEAD; next += 1) {
      const bytes = bytesOf(next)
      bytes.catch(() => {})
      ahead.push(bytes)
    }
    const bytes = await ahead.shift()!
    const start = index * CHUNK_BYTES
    const part = bytes.subarray(Math.max(0, first - start), last + 1 - start)
    if (!reply.write(part)) await drained(reply)
    gone.throwIfAborted()
  }
  reply.end()
}

function drained(reply: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      reply.off('drain', go)
      reply.off('close', go)
      resolve()
    }
    reply.once('drain', go)
    reply.once('close', go)
  })
}

function whole(reply: ServerResponse, { method }: IncomingMessage, bytes: Buffer, sent?: () => void): void {
  reply.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length })
  reply.end(method === 'HEAD' ? undefined : bytes, sent)
}

function text(reply: ServerResponse, code: number, body: string): void {
  const retry = code === 503 ? { 'retry-after': '1' } : {}
  reply.writeHead(code, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body), ...retry }).end(body)
}

function status(reply: ServerResponse, code: number): void {
  reply.writeHead(code, { 'content-length': 0 }).end()
}
