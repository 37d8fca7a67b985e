import { MMSGHDR } from './arena.ts'
import { BatchSlots } from './batch-slots.ts'
import type { Endpoint } from './ipv4-socket.ts'
import { Errno, failed, type Libc } from './libc.ts'

const MSG_DONTWAIT = 0x40
const BATCH = 64
const BYTES = 1_536
const AGAIN_MS = 1

/** Sends what was said within one turn of the event loop together. */
export class BatchOutgoing {
  readonly #native: Libc
  readonly #fd: number
  readonly #onError: (error: Error) => void
  readonly #slots: BatchSlots
  #queued = 0
  /** Of those that are queued. */
  #sent = 0
  #again: NodeJS.Timeout | undefined
  #closed = false

  constructor(native: Libc, fd: number, onError: (error: Error) => void) {
    this.#native = native
    this.#fd = fd
    this.#onError = onError
    this.#slots = new BatchSlots(native, BATCH, BYTES)
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed) return
    if (bytes.length > BYTES)
      return this.#onError(new Error(`a datagram of ${bytes.length} bytes, over ${BYTES}, not sent`))
    if (this.#queued === BATCH) this.#flush()
    if (this.#queued === BATCH) return this.#onError(new Error('a datagram dropped: the network takes no more now'))
    if (this.#queued === 0) queueMicrotask(() => this.#flush())
    this.#slots.fill(this.#queued, bytes, to)
    this.#queued += 1
  }

  /** What can't be sent now never is: the descriptor's number may soon be another file's. */
  close(): void {
    this.#flush()
    clearTimeout(this.#again)
    this.#closed = true
  }

  #flush(): void {
    if (this.#closed) return
    while (this.#sent < this.#queued) {
      const address = this.#slots.arena.address + this.#sent * MMSGHDR
      const sent = this.#native.sendmmsg(this.#fd, address, this.#queued - this.#sent, MSG_DONTWAIT)
      if (sent > 0) {
        this.#sent += sent
        continue
      }
      const errno = this.#native.errno()
      if (errno === Errno.EINTR) continue
      if (errno === Errno.EAGAIN) return this.#flushLater()
      this.#onError(failed('sendmmsg', errno)) // of the first that remains: the others may have another fate
      this.#sent += 1
    }
    this.#queued = 0
    this.#sent = 0
  }

  #flushLater(): void {
    this.#again ??= setTimeout(() => {
      this.#again = undefined
      this.#flush()
    }, AGAIN_MS)
  }
}
