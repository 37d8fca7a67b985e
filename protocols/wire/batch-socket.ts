import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { ipv4FromText } from './address.ts'
import { AF_INET, Arena, IOVEC, MMSGHDR, SOCKADDR4 } from './arena.ts'
import { closed, sendByNode, type Endpoint, type Ipv4Socket, type Ipv4SocketOptions } from './ipv4-socket.ts'
import { Errno, failed, type Libc } from './libc.ts'

// asm-generic/socket.h, bits/socket_type.h
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000
const SOL_SOCKET = 1
const SO_BROADCAST = 6
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_BINDTODEVICE = 25
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const MSG_DONTWAIT = 0x40
const MSG_TRUNC = 0x20

const BATCH = 64
/** At most so many batches before timers and other sockets have their turn. */
const ROUNDS = 4
const IN_BYTES = 2_048
const OUT_BYTES = 1_536
const SEND_BUFFER = 1_048_576

/**
 * Datagrams by the batch (recvmmsg, sendmmsg) on a socket of our own making. Node's event loop watches it: the first datagram
 * comes by way of Node, and whatever waits behind it is taken at once. What is sent within one turn leaves together.
 */
export async function openBatchSocket(native: Libc, options: Ipv4SocketOptions): Promise<Ipv4Socket> {
  const fd = boundSocket(native, options)
  const socket = createSocket({ type: 'udp4' })
  try {
    const listening = once(socket, 'listening') // which comes at once
    socket.bind({ fd }) // and from here on it is the socket that closes the descriptor
    await listening
  } catch (error) {
    native.close(fd)
    throw error
  }
  const incoming = new Incoming(native, fd, options)
  const outgoing = new Outgoing(native, fd, socket, options.onError)
  socket.on('message', (bytes, from) => {
    options.onMessage(bytes, { address: ipv4FromText(from.address), port: from.port })
    for (let round = 0; round < ROUNDS; round += 1) if (!incoming.take()) break
  })
  socket.on('error', (error) => options.onError(error))
  return {
    port: socket.address().port,
    batches: true,
    send: (bytes, to) => outgoing.send(bytes, to),
    deafen() {
      incoming.deafen()
      socket.removeAllListeners('message')
    },
    close() {
      outgoing.close()
      return closed(socket)
    },
  }
}

function boundSocket(native: Libc, { host, port, receiveBuffer, device }: Ipv4SocketOptions): number {
  const arena = new Arena(native, 64)
  const fd = native.socket(AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) throw failed('socket', native.errno())
  const set = (option: number, value: number): boolean => {
    arena.u32(32, value)
    return native.setsockopt(fd, SOL_SOCKET, option, arena.address + 32, 4) === 0
  }
  set(SO_BROADCAST, 1)
  // FORCE goes beyond net.core.rmem_max, and wants CAP_NET_ADMIN; without that, what the system allows.
  if (!set(SO_RCVBUFFORCE, receiveBuffer)) set(SO_RCVBUF, receiveBuffer)
  if (!set(SO_SNDBUFFORCE, SEND_BUFFER)) set(SO_SNDBUF, SEND_BUFFER)
  if (device !== undefined && !boundToDevice(native, fd, device)) {
    const error = failed(`bind to the interface ${device}`, native.errno())
    native.close(fd)
    throw error
  }
  arena.sockaddr4(0, ipv4FromText(host), port)
  if (native.bind(fd, arena.address, SOCKADDR4) === 0) return fd
  const error = failed(`bind ${host}:${port}`, native.errno())
  native.close(fd)
  throw error
}

/** socket(7): a name of at most IFNAMSIZ - 1 bytes. */
function boundToDevice(native: Libc, fd: number, device: string): boolean {
  const name = Buffer.from(`${device.slice(0, 15)}\0`)
  const arena = new Arena(native, 16)
  arena.bytes.set(name)
  return native.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, arena.address, name.length) === 0
}

/** Slots of a batch: its headers first, then names, vectors and bytes. */
class Slots {
  readonly arena: Arena
  readonly #bytesEach: number

  constructor(native: Libc, bytesEach: number) {
    this.arena = new Arena(native, BATCH * (MMSGHDR + SOCKADDR4 + IOVEC + bytesEach))
    this.#bytesEach = bytesEach
    for (let slot = 0; slot < BATCH; slot += 1) {
      const iov = BATCH * (MMSGHDR + SOCKADDR4) + slot * IOVEC
      this.arena.msghdr(slot * MMSGHDR, { name: this.name(slot), nameLength: SOCKADDR4, iov, iovLength: 1 })
      this.arena.iovec(iov, this.bytes(slot), bytesEach)
    }
  }

  name(slot: number): number {
    return BATCH * MMSGHDR + slot * SOCKADDR4
  }

  bytes(slot: number): number {
    return BATCH * (MMSGHDR + SOCKADDR4 + IOVEC) + slot * this.#bytesEach
  }

  setLength(slot: number, length: number): void {
    this.arena.word(BATCH * (MMSGHDR + SOCKADDR4) + slot * IOVEC + 8, length)
  }
}

class Incoming {
  readonly #native: Libc
  readonly #fd: number
  readonly #slots: Slots
  readonly #options: Ipv4SocketOptions
  #deaf = false

  constructor(native: Libc, fd: number, options: Ipv4SocketOptions) {
    this.#native = native
    this.#fd = fd
    this.#options = options
    this.#slots = new Slots(native, IN_BYTES)
  }

  deafen(): void {
    this.#deaf = true
  }

  /** One batch; whether there may be more. An error of the socket shows itself at Node's next read. */
  take(): boolean {
    if (this.#deaf) return false
    const { arena } = this.#slots
    const { onMessage, onError } = this.#options
    const count = this.#native.recvmmsg(this.#fd, arena.address, BATCH, MSG_DONTWAIT, 0)
    for (let slot = 0; slot < count; slot += 1) {
      const header = slot * MMSGHDR
      const name = this.#slots.name(slot)
      const from = { address: arena.view.getUint32(name + 4), port: arena.view.getUint16(name + 2) }
      const start = this.#slots.bytes(slot)
      const length = Math.min(arena.readU32(header + 56), IN_BYTES)
      if ((arena.readU32(header + 48) & MSG_TRUNC) !== 0)
        onError(new Error(`a datagram over ${IN_BYTES} bytes dropped`))
      else onMessage(this.#copy(start, length), from)
      arena.u32(header + 8, SOCKADDR4) // the kernel wrote the name's length here
    }
    return count === BATCH
  }

  /** From Node's pool: memory of its own for each datagram costs more than all the rest of receiving it. */
  #copy(start: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length)
    bytes.set(this.#slots.arena.bytes.subarray(start, start + length))
    return bytes
  }
}

class Outgoing {
  readonly #native: Libc
  readonly #fd: number
  readonly #socket: Socket
  readonly #onError: (error: Error) => void
  readonly #slots: Slots
  #queued = 0
  #closed = false

  constructor(native: Libc, fd: number, socket: Socket, onError: (error: Error) => void) {
    this.#native = native
    this.#fd = fd
    this.#socket = socket
    this.#onError = onError
    this.#slots = new Slots(native, OUT_BYTES)
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed) return
    if (bytes.length > OUT_BYTES) return sendByNode(this.#socket, bytes, to, this.#onError)
    if (this.#queued === BATCH) this.#flush()
    if (this.#queued === 0) queueMicrotask(() => this.#flush())
    const { arena } = this.#slots
    const slot = this.#queued
    arena.sockaddr4(this.#slots.name(slot), to.address, to.port)
    arena.bytes.set(bytes, this.#slots.bytes(slot))
    this.#slots.setLength(slot, bytes.length)
    this.#queued += 1
  }

  /** The descriptor's number may soon be another file's. */
  close(): void {
    this.#flush()
    this.#closed = true
  }

  #flush(): void {
    const count = this.#queued
    this.#queued = 0
    if (this.#closed) return
    let at = 0
    while (at < count) {
      const address = this.#slots.arena.address + at * MMSGHDR
      const sent = this.#native.sendmmsg(this.#fd, address, count - at, MSG_DONTWAIT)
      if (sent > 0) {
        at += sent
        continue
      }
      const errno = this.#native.errno()
      if (errno === Errno.EINTR) continue
      if (errno === Errno.EAGAIN) return this.#leaveToNode(at, count) // it waits until there is room
      this.#onError(failed('sendmmsg', errno)) // of the first that remains: the others may have another fate
      at += 1
    }
  }

  #leaveToNode(from: number, to: number): void {
    const { arena } = this.#slots
    for (let slot = from; slot < to; slot += 1) {
      const name = this.#slots.name(slot)
      const length = arena.readU32(BATCH * (MMSGHDR + SOCKADDR4) + slot * IOVEC + 8)
      const bytes = arena.bytes.slice(this.#slots.bytes(slot), this.#slots.bytes(slot) + length)
      const target = { address: arena.view.getUint32(name + 4), port: arena.view.getUint16(name + 2) }
      sendByNode(this.#socket, bytes, target, this.#onError)
    }
  }
}
