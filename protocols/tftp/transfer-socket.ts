import { ipv4FromText } from '@bloomery/wire/address.ts'
import { AF_INET, Arena, IOVEC, MSGHDR, SOCKADDR4 } from '@bloomery/wire/arena.ts'
import { Errno, failed, type Libc } from '@bloomery/wire/libc.ts'
import type { Endpoint } from '@bloomery/wire/ipv4-socket.ts'

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000
const SOL_SOCKET = 1
const SO_SNDBUF = 7
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
const LENGTH_AT = CONTROL_AT + CMSG
const WORDS_AT = LENGTH_AT + 8

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

  /** A descriptor, or the errno of bind as a negative number. */
  open(host: string, port: number): number {
    const fd = this.#native.socket(AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
    if (fd < 0) throw failed('socket', this.#native.errno())
    this.#arena.u32(LENGTH_AT, SEND_BUFFER)
    this.#native.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, this.#arena.address + LENGTH_AT, 4)
    this.#arena.sockaddr4(NAME_AT, ipv4FromText(host), port)
    if (this.#native.bind(fd, this.#arena.address + NAME_AT, SOCKADDR4) === 0) return fd
    const errno = this.#native.errno()
    this.#native.close(fd)
    return -errno
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

  /** 0, or what went wrong. */
  say(fd: number, bytes: Uint8Array, to: Endpoint): number {
    const length = Math.min(bytes.length, WORDS)
    this.#arena.bytes.set(bytes.subarray(0, length), WORDS_AT)
    return this.#send(fd, this.#arena.address + WORDS_AT, length, 0, to)
  }

  /** Blocks that lie one behind the other. With `cut`, the kernel makes the datagrams; EINVAL where it can't. */
  blocks(
    fd: number,
    slice: Arena,
    piece: { at: number; length: number },
    stride: number,
    to: Endpoint,
    cut: boolean,
  ): number {
    const end = piece.at + piece.length
    const atOnce = cut ? Math.min(MAX_SEGMENTS, Math.floor(MAX_SEND / stride)) * stride : stride
    for (let at = piece.at; at < end; at += atOnce) {
      const length = Math.min(atOnce, end - at)
      const errno = this.#send(fd, slice.address + at, length, length > stride ? stride : 0, to)
      if (errno !== 0) return errno
    }
    return 0
  }

  #send(fd: number, address: number, length: number, segment: number, to: Endpoint): number {
    const arena = this.#arena
    arena.sockaddr4(NAME_AT, to.address, to.port)
    arena.word(IOV_AT, address)
    arena.word(IOV_AT + 8, length)
    arena.msghdr(HEADER_AT, { name: NAME_AT, nameLength: SOCKADDR4, iov: IOV_AT, iovLength: 1 })
    if (segment > 0) {
      arena.u16(CONTROL_AT + 16, segment)
      arena.word(HEADER_AT + 32, arena.address + CONTROL_AT)
      arena.word(HEADER_AT + 40, CMSG)
    }
    if (this.#native.sendmsg(fd, arena.address + HEADER_AT, MSG_DONTWAIT) >= 0) return 0
    const errno = this.#native.errno()
    // No room is as good as lost on the way: it is sent again when it is missed.
    return errno === Errno.EAGAIN || errno === Errno.ENOBUFS || errno === Errno.EINTR ? 0 : errno
  }
}
