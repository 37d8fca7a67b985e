import { ipv4FromText, ipv4ToText } from '@bloomery/wire/address.ts'
import { AF_INET, Arena, IOVEC, MSGHDR, SOCKADDR4 } from '@bloomery/wire/arena.ts'
import { Errno, failed, type Libc } from '@bloomery/wire/libc.ts'
import type { Endpoint } from '@bloomery/wire/ipv4-socket.ts'

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_INCOMING_CPU = 49
const SEND_BUFFER = 1_048_576
const SOL_UDP = 17
const UDP_SEGMENT = 103
const MSG_DONTWAIT = 0x40
const CMSG = 24 // a cmsghdr of 16 bytes, the segment size, and padding
/** What the kernel cuts up at once: IPv4's longest datagram, and UDP_MAX_SEGMENTS of older kernels. */
const MAX_SEND = 65_000
const MAX_SEGMENTS = 64
/** Our side's longest words are an OACK and an ERROR; a client's, its ERROR. */
export const WORDS = 1_024

const NAME_AT = 0
const IOV_AT = NAME_AT + SOCKADDR4
const HEADER_AT = IOV_AT + IOVEC
const CONTROL_AT = HEADER_AT + MSGHDR
const VALUE_AT = CONTROL_AT + CMSG
const LENGTH_AT = VALUE_AT + 8
const WORDS_AT = LENGTH_AT + 8

/**
 * The two descriptors of a transfer's port. `client` is connected: the kernel keeps the way to it, and notes where its datagrams arrive.
 * `others` hears whoever else sends to that port, because he is to be told (RFC 1350 §4).
 */
export interface TransferPort {
  client: number
  others: number
}

/** Bytes in and out of the sockets of transfers. All transfers of a thread share one, as each call is over when it returns. */
export class TransferSockets {
  readonly #native: Libc
  readonly #arena: Arena
  /** Of the datagram heard last. */
  readonly from: Endpoint = { address: 0, port: 0 }
  readonly heard: Uint8Array

  constructor(native: Libc) {
    this.#native = native
    this.#arena = new Arena(native, WORDS_AT + WORDS)
    this.#arena.word(CONTROL_AT, 18)
    this.#arena.u32(CONTROL_AT + 8, SOL_UDP)
    this.#arena.u32(CONTROL_AT + 12, UDP_SEGMENT)
    this.heard = this.#arena.bytes.subarray(WORDS_AT, WORDS_AT + WORDS)
  }

  /** Undefined where the port is in use. */
  open(host: string, port: number, to: Endpoint): TransferPort | undefined {
    const client = this.#socket()
    let others = -1
    try {
      this.#set(client, SO_SNDBUF, SEND_BUFFER)
      if (!this.#bind(client, ipv4FromText(host), port)) return this.#close(client)
      // Only between these two is the port shared, and only now: whoever binds it before or after is told that it is in use.
      others = this.#socket()
      for (const fd of [client, others]) this.#set(fd, SO_REUSEADDR, 1)
      this.#set(others, SO_RCVBUF, WORDS)
      if (!this.#bind(others, ipv4FromText(host), port || this.#portOf(client))) throw failed('bind', Errno.EADDRINUSE)
      for (const fd of [client, others]) this.#set(fd, SO_REUSEADDR, 0)
      this.#arena.sockaddr4(NAME_AT, to.address, to.port)
      if (this.#native.connect(client, this.#arena.address + NAME_AT, SOCKADDR4) < 0)
        throw failed('connect', this.#native.errno())
      return { client, others }
    } catch (error) {
      this.#close(client, others)
      throw error
    }
  }

  /** How long the next datagram is, or -1 for none; its bytes and sender are in `heard` and `from` until the next call. */
  receive(fd: number): number {
    const base = this.#arena.address
    this.#arena.u32(LENGTH_AT, SOCKADDR4)
    const length = this.#native.recvfrom(fd, base + WORDS_AT, WORDS, MSG_DONTWAIT, base + NAME_AT, base + LENGTH_AT)
    if (length < 0) return -1
    this.from.address = this.#arena.view.getUint32(NAME_AT + 4)
    this.from.port = this.#arena.view.getUint16(NAME_AT + 2)
    return length
  }

  /** The processor where the last datagram came in; -1 where it isn't known. */
  incomingProcessor(fd: number): number {
    const value = this.#arena.address + VALUE_AT
    this.#arena.u32(VALUE_AT, 0xffff_ffff)
    this.#arena.u32(LENGTH_AT, 4)
    this.#native.getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, value, this.#arena.address + LENGTH_AT)
    return this.#arena.view.getInt32(VALUE_AT, true)
  }

  /** 0, or what went wrong. Without `to`, to whom the socket is connected. */
  say(fd: number, bytes: Uint8Array, to?: Endpoint): number {
    const length = Math.min(bytes.length, WORDS)
    this.#arena.bytes.set(bytes.subarray(0, length), WORDS_AT)
    return this.#send(fd, this.#arena.address + WORDS_AT, length, 0, to)
  }

  /** Blocks that lie one behind the other. With `cut`, the kernel makes the datagrams; EINVAL where it can't. */
  blocks(fd: number, slice: Arena, piece: { at: number; length: number }, stride: number, cut: boolean): number {
    const end = piece.at + piece.length
    const atOnce = cut ? Math.min(MAX_SEGMENTS, Math.floor(MAX_SEND / stride)) * stride : stride
    for (let at = piece.at; at < end; at += atOnce) {
      const length = Math.min(atOnce, end - at)
      const errno = this.#send(fd, slice.address + at, length, length > stride ? stride : 0)
      if (errno !== 0) return errno
    }
    return 0
  }

  #send(fd: number, address: number, length: number, segment: number, to?: Endpoint): number {
    const arena = this.#arena
    if (to !== undefined) arena.sockaddr4(NAME_AT, to.address, to.port)
    arena.word(IOV_AT, address)
    arena.word(IOV_AT + 8, length)
    const nameLength = to === undefined ? 0 : SOCKADDR4
    arena.msghdr(HEADER_AT, { name: NAME_AT, nameLength, iov: IOV_AT, iovLength: 1 })
    if (segment > 0) {
      arena.u16(CONTROL_AT + 16, segment)
      arena.word(HEADER_AT + 32, arena.address + CONTROL_AT)
      arena.word(HEADER_AT + 40, CMSG)
    }
    if (this.#native.sendmsg(fd, arena.address + HEADER_AT, MSG_DONTWAIT) >= 0) return 0
    const errno = this.#native.errno()
    return AS_GOOD_AS_LOST.has(errno) ? 0 : errno
  }

  #socket(): number {
    const fd = this.#native.socket(AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
    if (fd < 0) throw failed('socket', this.#native.errno())
    return fd
  }

  #set(fd: number, option: number, value: number): void {
    this.#arena.u32(VALUE_AT, value)
    this.#native.setsockopt(fd, SOL_SOCKET, option, this.#arena.address + VALUE_AT, 4)
  }

  /** False where the port is in use. */
  #bind(fd: number, host: number, port: number): boolean {
    this.#arena.sockaddr4(NAME_AT, host, port)
    if (this.#native.bind(fd, this.#arena.address + NAME_AT, SOCKADDR4) === 0) return true
    const errno = this.#native.errno()
    if (errno === Errno.EADDRINUSE) return false
    throw failed(`bind to port ${port} of ${ipv4ToText(host)}`, errno)
  }

  #portOf(fd: number): number {
    this.#arena.u32(LENGTH_AT, SOCKADDR4)
    this.#native.getsockname(fd, this.#arena.address + NAME_AT, this.#arena.address + LENGTH_AT)
    return this.#arena.view.getUint16(NAME_AT + 2)
  }

  #close(...fds: number[]): undefined {
    for (const fd of fds) if (fd >= 0) this.#native.close(fd)
  }
}

/** It is sent again when it is missed. That a port was closed once (ICMP) needn't be true, and needn't be the client's word. */
const AS_GOOD_AS_LOST = new Set<number>([Errno.EAGAIN, Errno.ENOBUFS, Errno.EINTR, Errno.ECONNREFUSED])
