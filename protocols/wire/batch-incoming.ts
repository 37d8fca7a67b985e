import { MMSGHDR, SOCKADDR4 } from './arena.ts'
import { BatchSlots } from './batch-slots.ts'
import type { Ipv4SocketOptions } from './ipv4-socket.ts'
import { Errno, failed, type Libc } from './libc.ts'

const MSG_DONTWAIT = 0x40
const MSG_TRUNC = 0x20
const LENGTH_AT = 56 // of struct mmsghdr; flags and the name's length are of its msghdr
const FLAGS_AT = 48
const NAME_LENGTH_AT = 8
/** Before timers and other sockets have their turn. */
const BATCH = 64
const BYTES = 2_048

/** Takes what waits at a socket, by the batch. */
export class BatchIncoming {
  readonly #native: Libc
  readonly #fd: number
  readonly #slots: BatchSlots
  readonly #options: Pick<Ipv4SocketOptions, 'onMessage' | 'onError'>

  constructor(native: Libc, fd: number, options: Pick<Ipv4SocketOptions, 'onMessage' | 'onError'>) {
    this.#native = native
    this.#fd = fd
    this.#options = options
    this.#slots = new BatchSlots(native, BATCH, BYTES)
  }

  /** One batch; whether there was anything. */
  take(): boolean {
    const count = this.#native.recvmmsg(this.#fd, this.#slots.arena.address, BATCH, MSG_DONTWAIT, 0)
    if (count < 0) this.#tell(this.#native.errno())
    for (let slot = 0; slot < count; slot += 1) this.#hand(slot)
    return count > 0
  }

  #hand(slot: number): void {
    const { arena } = this.#slots
    const header = slot * MMSGHDR
    const length = Math.min(arena.readU32(header + LENGTH_AT), BYTES)
    const isCut = (arena.readU32(header + FLAGS_AT) & MSG_TRUNC) !== 0
    arena.u32(header + NAME_LENGTH_AT, SOCKADDR4) // the kernel wrote the name's length here
    if (isCut) this.#options.onError(new Error(`a datagram over ${BYTES} bytes dropped`))
    else this.#options.onMessage(this.#slots.copyOf(slot, length), this.#slots.endpoint(slot))
  }

  #tell(errno: number): void {
    if (errno !== Errno.EAGAIN && errno !== Errno.EINTR) this.#options.onError(failed('recvmmsg', errno))
  }
}
