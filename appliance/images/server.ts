import { createHmac, timingSafeEqual } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

const CHUNK = 512 * 1024 // measured: twice the rate of the 64 KiB default

/** Images for agents. The path carries a code that only this appliance can make, good while the plan it was made for is open; no path is
 * ever joined from what was asked: the name must be one that the code was made for. Plain HTTP, because agents verify the digest
 * that they were told over their own TLS connection. */
export interface ImageServer {
  pathOf(plan: string, file: string): string
  listener: RequestListener
}

export interface ImageServerParts {
  secret: string
  isOpen(plan: string): boolean
  path(file: string): string
}

export function imageServer(parts: ImageServerParts): ImageServer {
  const code = (plan: string, file: string): string =>
    createHmac('sha256', parts.secret).update(`image ${plan} ${file}`).digest('base64url')

  async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const [, , plan = '', given = '', file = ''] = new URL(request.url ?? '/', 'http://site').pathname.split('/')
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(reply, 405)
    if (!same(given, code(plan, file))) return end(reply, 404)
    if (!parts.isOpen(plan)) return end(reply, 403)
    const path = parts.path(file)
    const facts = await stat(path).catch(() => undefined)
    if (!facts) return end(reply, 404)
    const range = byteRange(request.headers.range, facts.size)
    if (range === 'unsatisfiable') return end(reply, 416, { 'content-range': `bytes */${facts.size}` })
    const { start, end: last } = range ?? { start: 0, end: facts.size - 1 }
    reply.writeHead(range ? 206 : 200, {
      'content-type': 'application/octet-stream',
      'content-length': last - start + 1,
      'accept-ranges': 'bytes',
      etag: `"${file}"`,
      ...(range && { 'content-range': `bytes ${start}-${last}/${facts.size}` }),
    })
    if (request.method === 'HEAD') return void reply.end()
    await pipeline(createReadStream(path, { start, end: last, highWaterMark: CHUNK }), reply)
  }

  return {
    pathOf: (plan, file) => `/images/${plan}/${code(plan, file)}/${file}`,
    listener: (request, reply) => {
      answer(request, reply).catch(() => reply.destroy())
    },
  }
}

/** RFC 9110 §14.2, one range; several or nonsense mean the whole. */
export function byteRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!found || (found[1] === '' && found[2] === '')) return undefined
  const [from, to] = [found[1]!, found[2]!]
  if (from === '') return Number(to) === 0 ? 'unsatisfiable' : { start: Math.max(0, size - Number(to)), end: size - 1 }
  if (Number(from) >= size) return 'unsatisfiable'
  if (to !== '' && Number(to) < Number(from)) return undefined
  return { start: Number(from), end: to === '' ? size - 1 : Math.min(Number(to), size - 1) }
}

function end(reply: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  reply.writeHead(status, { 'content-length': 0, ...headers }).end()
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
