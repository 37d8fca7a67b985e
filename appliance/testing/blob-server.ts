import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import type { Clock } from '../clock.ts'

/** Waits for nothing but its turn: retries come at once. */
export const hastyClock: Clock = {
  now: () => new Date(),
  async sleep(_ms, signal) {
    signal?.throwIfAborted()
    await new Promise((resolve) => setImmediate(resolve))
  },
}

export interface BlobServer {
  url: string
  /** Of each request: its range header. */
  asked: (string | undefined)[]
  /** Answers in place of the blob; false: as usual. */
  fault: (nth: number, reply: ServerResponse, asked: IncomingMessage) => boolean
}

/** A blob store on a real socket, for the length of a test, that serves `bytes` with ranges and has whatever fault a test wants. */
export async function blobServer(bytes: Buffer): Promise<BlobServer> {
  const asked: BlobServer['asked'] = []
  const server = createServer((request, reply) => {
    asked.push(request.headers.range)
    if (blobs.fault(asked.length, reply, request)) return
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (from >= bytes.length) {
      reply.writeHead(416).end()
      return
    }
    reply.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes.length - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    })
    reply.end(bytes.subarray(from))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/blob?signature=hush`
  const blobs: BlobServer = { url, asked, fault: () => false }
  return blobs
}

/** Sends so many bytes of the whole and breaks the connection once they have come: fetch forgets what it has not handed on when it breaks. */
export function breakAfter(
  reply: ServerResponse,
  bytes: Buffer,
  count: number,
  { from = 0, haveCome }: { from?: number; haveCome: () => boolean },
): true {
  const headers = { 'content-length': bytes.length - from }
  const range = from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
  reply.writeHead(from > 0 ? 206 : 200, { ...headers, ...range })
  reply.write(bytes.subarray(from, from + count))
  void vi.waitUntil(haveCome, { timeout: 30_000, interval: 5 }).finally(() => reply.destroy())
  return true
}
