import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** The WAN of a site: a TCP relay on loopback that can be cut. What is under way when it is cut is lost, and new connections end at once. */
export class Relay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #up = true

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(to: { host: string; port: number }): Promise<Relay> {
    const server = createServer()
    const relay = new Relay(server)
    server.on('connection', (near) => relay.#carry(near, to))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.#up = false
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#up = true
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cut()
    await closed
  }

  #carry(near: Socket, to: { host: string; port: number }): void {
    if (!this.#up) {
      near.destroy()
      return
    }
    const far = connect(to)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }
}
