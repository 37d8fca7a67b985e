import { Arena } from '@bloomery/wire/arena.ts'
import { Errno, failed, type Libc } from '@bloomery/wire/libc.ts'
import type { Engine } from '@bloomery/wire/native-engine.ts'
import { Poller } from '@bloomery/wire/poller.ts'

/** Part of a file, into a TCP socket. */
export interface PumpOrder {
  id: number
  /** A duplicate of the connection's descriptor: it is the pump's to close, so that its number stays what it is until then. */
  socket: number
  /** Open until the pump has ended. */
  file: number
  offset: number
  length: number
}

export interface PumpEnd {
  id: number
  sent: number
  /** Absent where all was sent. */
  because?: string
}

interface Pumping {
  order: PumpOrder
  sent: number
  /** When bytes were last taken. */
  at: number
}

/** For one connection before the others have their turn; the kernel takes what fits its buffer. */
const AT_ONCE = 2 * 1_048_576
const LONGEST_WAIT_MS = 100

/** Files into connections by sendfile(2): from the page cache to the card without passing by. */
export class FilePump implements Engine<PumpOrder> {
  readonly #native: Libc
  readonly #poller: Poller
  readonly #pumping = new Map<number, Pumping>()
  readonly #offset: Arena
  readonly #ended: (end: PumpEnd) => void
  readonly #idleMs: number

  constructor(native: Libc, bell: number, ended: (end: PumpEnd) => void, idleMs = 60_000) {
    this.#native = native
    this.#poller = new Poller(native, bell)
    this.#offset = new Arena(native, 4_096)
    this.#ended = ended
    this.#idleMs = idleMs
  }

  get size(): number {
    return this.#pumping.size
  }

  begin(order: PumpOrder): void {
    const pumping = { order, sent: 0, at: performance.now() }
    this.#pumping.set(order.socket, pumping)
    try {
      this.#poller.add(order.socket, 'writable')
    } catch (error) {
      this.#end(pumping, error instanceof Error ? error.message : String(error))
    }
  }

  run(): void {
    while (this.#pumping.size > 0) {
      if (this.#poller.wait(LONGEST_WAIT_MS, (fd) => this.#pump(this.#pumping.get(fd)))) return
      this.#giveUpIdle()
    }
  }

  cancel(id: number): void {
    for (const pumping of this.#pumping.values()) if (pumping.order.id === id) this.#end(pumping, 'the client hung up')
  }

  stop(): void {
    for (const pumping of this.#pumping.values()) this.#end(pumping, 'the server stops')
    this.#poller.close()
  }

  #pump(pumping: Pumping | undefined): void {
    if (pumping === undefined) return
    const { socket, file, offset, length } = pumping.order
    this.#offset.word(0, offset + pumping.sent)
    const wanted = Math.min(length - pumping.sent, AT_ONCE)
    const taken = this.#native.sendfile(socket, file, this.#offset.address, wanted)
    if (taken < 0) {
      const errno = this.#native.errno()
      if (errno === Errno.EAGAIN || errno === Errno.EINTR) return
      return this.#end(pumping, failed('sendfile', errno).message)
    }
    if (taken === 0) return this.#end(pumping, 'the file became shorter while it was sent')
    pumping.sent += taken
    pumping.at = performance.now()
    if (pumping.sent === length) this.#end(pumping)
  }

  #giveUpIdle(): void {
    const before = performance.now() - this.#idleMs
    for (const pumping of this.#pumping.values())
      if (pumping.at < before) this.#end(pumping, `the client took nothing for ${this.#idleMs / 1_000} s`)
  }

  /** Closing a descriptor takes it out of the poller only when no duplicate is open, which Node has. */
  #end(pumping: Pumping, because?: string): void {
    const { socket, id } = pumping.order
    if (!this.#pumping.delete(socket)) return
    this.#poller.remove(socket)
    this.#native.close(socket)
    this.#ended({ id, sent: pumping.sent, because })
  }
}
