import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { ipv4FromText, ipv4ToText } from './address.ts'
import { libc } from './libc.ts'
import { openBatchSocket } from './batch-socket.ts'

export interface Endpoint {
  address: number
  port: number
}

export interface Ipv4SocketOptions {
  host: string
  port: number
  /** Only what comes in by this interface is heard, and what is sent leaves by it: also broadcasts, without a route. */
  device?: string
  /** Bytes that wait in the kernel: a burst must find room while something else is done. */
  receiveBuffer: number
  /** False: Node's own sockets, also where batches could be had. */
  batches?: boolean
  /** `bytes` are the receiver's to keep. */
  onMessage: (bytes: Uint8Array, from: Endpoint) => void
  onError: (error: Error) => void
}

/** A UDP socket that may broadcast. */
export interface Ipv4Socket {
  port: number
  /** Many datagrams by one system call. */
  batches: boolean
  /** What can't be sent goes to `onError`. The bytes are free for other use when it returns. */
  send(bytes: Uint8Array, to: Endpoint): void
  /** Nothing more is heard; what is sent still goes out. */
  deafen(): void
  close(): Promise<void>
}

/** By batches where the platform has them, else by Node's sockets: all the same to whoever uses it, but for the speed. */
export async function openIpv4Socket(options: Ipv4SocketOptions): Promise<Ipv4Socket> {
  const native = options.batches === false && options.device === undefined ? undefined : libc()
  if (native === undefined && options.device !== undefined)
    throw new Error(
      `a socket can't be bound to ${options.device} here: that takes Linux and the optional package koffi`,
    )
  return native === undefined ? openNodeSocket(options) : openBatchSocket(native, options)
}

async function openNodeSocket(options: Ipv4SocketOptions): Promise<Ipv4Socket> {
  const socket = createSocket({ type: 'udp4' })
  socket.bind(options.port, options.host)
  await once(socket, 'listening')
  socket.setBroadcast(true)
  socket.setRecvBufferSize(options.receiveBuffer)
  socket.on('message', (bytes, from) =>
    options.onMessage(bytes, { address: ipv4FromText(from.address), port: from.port }),
  )
  socket.on('error', (error) => options.onError(error))
  return {
    port: socket.address().port,
    batches: false,
    send: (bytes, to) => sendByNode(socket, Buffer.from(bytes), to, options.onError),
    deafen: () => void socket.removeAllListeners('message'),
    close: () => closed(socket),
  }
}

function sendByNode(socket: Socket, bytes: Uint8Array, to: Endpoint, onError: (error: Error) => void): void {
  try {
    socket.send(bytes, to.port, ipv4ToText(to.address), (error) => error && onError(error))
  } catch (error) {
    if (error instanceof Error) onError(error) // it is closed, or the port is none
  }
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve))
}
