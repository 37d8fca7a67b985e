import type { RemoteInfo, Socket } from 'node:dgram'
import type { TftpClient } from './source.ts'

interface Heard {
  message: (bytes: Uint8Array, from: TftpClient) => void
  error: (error: Error) => void
}

/** What a transfer's datagrams go and come by: a socket of its own, or its share of the one that all have. */
export interface TransferWay {
  send(bytes: Uint8Array, to: TftpClient, done: (error: Error | null) => void): void
  on<Kind extends keyof Heard>(kind: Kind, heard: Heard[Kind]): void
  close(): void
}

export function ofSocket(socket: Socket): TransferWay {
  return {
    send: (bytes, to, done) => socket.send(bytes, to.port, to.address, done),
    on: (kind, heard) => void socket.on(kind, heard),
    close: () => void socket.close(),
  }
}

const ACK = 4
const ERROR = 5

/**
 * Every transfer by the request port, where a firewall lets nothing else through. RFC 1350 §4 tells transfers apart by both ends' ports;
 * here the client's is enough, as each asks from a port of its own.
 */
export class OnePort {
  readonly #socket: Socket
  readonly #hearers = new Map<string, Heard['message']>()

  constructor(socket: Socket) {
    this.#socket = socket
  }

  open(client: TftpClient): TransferWay {
    const key = keyOf(client)
    return {
      send: (bytes, to, done) => this.#socket.send(bytes, to.port, to.address, done),
      on: (kind, heard) => {
        if (kind === 'message') this.#hearers.set(key, heard as Heard['message']) // errors are the server's own
      },
      close: () => void this.#hearers.delete(key),
    }
  }

  /** False for what is no part of a transfer. The ACK or ERROR of one that ended may come late: it is heard, and nobody answers. */
  hear(bytes: Uint8Array, from: RemoteInfo): boolean {
    const op = bytes[0] === 0 ? bytes[1] : undefined
    if (op !== ACK && op !== ERROR) return false
    this.#hearers.get(keyOf(from))?.(bytes, from)
    return true
  }
}

function keyOf({ address, port }: TftpClient): string {
  return `${address} ${port}`
}
