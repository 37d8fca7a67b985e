import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { answerFile, sendFile } from '../boot/http-file.ts'

/** Images for agents. The path carries a code that only this appliance can make, good while the plan it was made for is open; no path is
 * ever joined from what was asked: the name must be one that the code was made for. Plain HTTP, because agents verify the digest
 * that they were told over their own TLS connection. */
export interface ImageServer {
  pathOf(plan: string, file: string): string
  /** Under which are the parts of an image in chunks, known by the digest of its manifest. */
  chunkedPathOf(plan: string, manifest: string): string
  /** What agents that write this image show each other. */
  peerToken(manifest: string): string
  listener: RequestListener
}

export interface ImageServerParts {
  secret: string
  isOpen(plan: string): boolean
  path(file: string): string
  /** Answers for an image in chunks. */
  chunked(plan: string, path: string[], request: IncomingMessage, reply: ServerResponse): Promise<void>
}

export function imageServer(parts: ImageServerParts): ImageServer {
  const code = (plan: string, file: string): string =>
    createHmac('sha256', parts.secret).update(`image ${plan} ${file}`).digest('base64url')

  async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { method, headers } = request
    const [, , plan = '', given = '', file = '', ...rest] = new URL(request.url ?? '/', 'http://site').pathname.split(
      '/',
    )
    if (method !== 'GET' && method !== 'HEAD') return refuse(reply, 405)
    if (!same(given, code(plan, rest.length > 0 ? `chunked ${file}` : file))) return refuse(reply, 404)
    if (!parts.isOpen(plan)) return refuse(reply, 403)
    if (rest.length > 0) return parts.chunked(plan, rest, request, reply)
    const path = parts.path(file)
    const answered = await answerFile(path, headers.range)
    if (method === 'HEAD' || !answered.range) reply.writeHead(answered.status, answered.headers).end()
    else await sendFile(reply, path, { ...answered, range: answered.range }, () => {})
  }

  return {
    pathOf: (plan, file) => `/images/${plan}/${code(plan, file)}/${file}`,
    chunkedPathOf: (plan, manifest) => `/images/${plan}/${code(plan, `chunked ${manifest}`)}/${manifest}`,
    peerToken: (manifest) =>
      createHmac('sha256', parts.secret).update(`peers of image ${manifest}`).digest('base64url'),
    listener: (request, reply) => {
      answer(request, reply).catch(() => (reply.headersSent ? reply.destroy() : refuse(reply, 404)))
    },
  }
}

function refuse(reply: ServerResponse, status: number): void {
  reply.writeHead(status, { 'content-length': 0 }).end()
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
