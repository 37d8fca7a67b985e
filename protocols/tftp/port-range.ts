import type { Socket } from 'node:dgram'
import { once } from 'node:events'

/** Takes turns through the range, so that a port isn't used again while late datagrams of its last transfer may come. */
export class PortRange {
  readonly #range: readonly [first: number, last: number] | undefined
  #next: number

  constructor(range?: readonly [first: number, last: number]) {
    this.#range = range
    this.#next = range?.[0] ?? 0
  }

  /** Every port, in the order in which they are to be tried now; [0] is any. */
  inTurn(): number[] {
    if (this.#range === undefined) return [0]
    const [first, last] = this.#range
    const from = this.#next
    this.#next = from === last ? first : from + 1
    return Array.from({ length: last - first + 1 }, (_, index) => first + ((from - first + index) % (last - first + 1)))
  }

  async bind(create: () => Socket, host: string): Promise<Socket> {
    if (this.#range === undefined) return bound(create(), 0, host)
    const [first, last] = this.#range
    for (let tries = first; tries <= last; tries += 1) {
      const port = this.#next
      this.#next = port === last ? first : port + 1
      const socket = create()
      try {
        return await bound(socket, port, host)
      } catch (error) {
        socket.close()
        if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
      }
    }
    throw new Error(`every TFTP transfer port from ${first} to ${last} is in use: widen tftp.portRange`)
  }
}

async function bound(socket: Socket, port: number, host: string): Promise<Socket> {
  socket.bind(port, host)
  await once(socket, 'listening')
  return socket
}
