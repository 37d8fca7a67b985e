import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A line of so many bytes a second to a port of this machine, shared by all connections: a bucket of tokens that fills steadily. */
export interface Link extends AsyncDisposable {
  port: number
}

const BURST_SECONDS = 0.005
const MOST_PIECE = 256 * 1024

export async function openLink(to: number, bytesPerSecond: number): Promise<Link> {
  const burst = bytesPerSecond * BURST_SECONDS
  let tokens = burst
  let filled = performance.now()
  const sockets = new Set<Socket>()

  async function take(bytes: number): Promise<void> {
    const now = performance.now()
    tokens = Math.min(burst, tokens + ((now - filled) / 1000) * bytesPerSecond)
    filled = now
    // A debt is waited for by whoever makes it, so that the mean is exact however large the pieces are.
    tokens -= bytes
    if (tokens < 0) await sleep((-tokens / bytesPerSecond) * 1000)
  }

  async function pump(from: Socket, into: Socket): Promise<void> {
    try {
      for await (const data of from as AsyncIterable<Buffer>)
        for (let at = 0; at < data.length; at += MOST_PIECE) {
          const piece = data.subarray(at, at + MOST_PIECE)
          await take(piece.length)
          if (!into.write(piece)) await drained(into)
        }
      into.end()
    } catch {
      into.destroy()
    }
  }

  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      socket.setNoDelay(true)
    }
    near.pipe(far)
    void pump(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off('drain', go).off('close', go)
      resolve()
    }
    socket.once('drain', go).once('close', go)
  })
}
