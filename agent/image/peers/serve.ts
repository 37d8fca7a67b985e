import { hash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { storedPlain } from '../../../contract/images/peers.ts'

/** Gives chunks that were written to this machine's disk to other agents, who know the image's token. */
export interface PeerServer extends AsyncDisposable {
  port: number
  /** The chunk is on the disk, verified. */
  offer(sha256: string, offset: number, length: number): void
}

/** This machine's own disk and network card come first. */
const MOST_UPLOADS = 4
const MOST_CONNECTIONS = 64
/** Of which it is remembered where they are: 64 GiB. */
const MOST_OFFERED = 65_536
const SLOW_MS = 20_000

export async function startPeerServer(
  token: string,
  disk: Pick<FileHandle, 'read'>,
  address?: string,
): Promise<PeerServer> {
  const offered = new Map<string, { offset: number; length: number }>()
  let uploads = 0

  async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    if (!same(request.headers.authorization ?? '', `Bearer ${token}`)) return status(reply, 401)
    const sha256 = /^\/chunks\/([0-9a-f]{64})$/.exec(request.url ?? '')?.[1] ?? ''
    const place = offered.get(sha256)
    if (request.method !== 'GET' || place === undefined) return status(reply, 404)
    if (uploads >= MOST_UPLOADS) return status(reply, 503)
    uploads += 1
    reply.once('close', () => (uploads -= 1))
    const plain = Buffer.allocUnsafe(place.length)
    const { bytesRead } = await disk.read(plain, 0, place.length, place.offset)
    // What a disk gives back is looked at before anybody gets it: partition tables change, and disks lie.
    if (bytesRead !== place.length || hash('sha256', plain) !== sha256) {
      offered.delete(sha256)
      return status(reply, 404)
    }
    const stored = storedPlain(plain)
    reply.writeHead(200, { 'content-length': stored.length }).end(stored)
  }

  const server = createServer((request, reply) => {
    reply.setTimeout(SLOW_MS, () => reply.destroy())
    answer(request, reply).catch(() => reply.destroy())
  })
  server.maxConnections = MOST_CONNECTIONS
  server.requestTimeout = SLOW_MS
  server.listen(0, address)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    offer(sha256, offset, length) {
      if (offered.size < MOST_OFFERED) offered.set(sha256, { offset, length })
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function status(reply: ServerResponse, code: number): void {
  reply.writeHead(code, { 'content-length': 0 }).end()
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
