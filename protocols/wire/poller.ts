import { Arena } from './arena.ts'
import { failed, type Libc } from './libc.ts'

const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CLOEXEC = 0x80000
const EVENTS = { readable: 1, writable: 4 } as const
const MAX_EVENTS = 64
/** Longer than the answer of a fast client takes, and short enough to be had in vain. */
const SPIN_MS = 0.2
const LEAST_PATIENCE = 4
const MOST_PATIENCE = 4_096
/** epoll_event is packed on x86-64 only. */
const EVENT = process.arch === 'x64' ? 12 : 16
const DATA = EVENT - 8

/** Waits for many descriptors and for a bell: an eventfd that another thread writes to when it has something to say. */
export class Poller {
  readonly #native: Libc
  readonly #bell: number
  readonly #fd: number
  readonly #events: Arena
  /** Waits in a row that were over soon, and how many it takes before the next is spent awake. */
  #soon = 0
  #patience = LEAST_PATIENCE

  constructor(native: Libc, bell: number) {
    this.#native = native
    this.#bell = bell
    this.#events = new Arena(native, MAX_EVENTS * EVENT + 8)
    this.#fd = native.epoll_create1(EPOLL_CLOEXEC)
    if (this.#fd < 0) throw failed('epoll_create1', native.errno())
    this.add(bell, 'readable')
  }

  /** Until it is removed, or closed with all its duplicates. */
  add(fd: number, until: keyof typeof EVENTS): void {
    this.#events.u32(0, EVENTS[until])
    this.#events.u32(DATA, fd)
    this.#events.u32(DATA + 4, 0)
    if (this.#native.epoll_ctl(this.#fd, EPOLL_CTL_ADD, fd, this.#events.address) < 0)
      throw failed('epoll_ctl', this.#native.errno())
  }

  remove(fd: number): void {
    this.#native.epoll_ctl(this.#fd, EPOLL_CTL_DEL, fd, this.#events.address)
  }

  /**
   * Hands over what is ready; whether the bell rang. With `awake`, the thread doesn't sleep while answers come within a fraction of a
   * millisecond: to be woken on an idle processor takes longer than such an answer does.
   */
  wait(milliseconds: number, ready: (fd: number) => void, awake = false): boolean {
    const count = awake ? this.#awake(milliseconds) : this.#poll(milliseconds)
    let rung = false
    for (let index = 0; index < count; index += 1) {
      const fd = this.#events.readU32(index * EVENT + DATA)
      if (fd === this.#bell) rung = true
      else ready(fd)
    }
    if (rung) this.#native.read(this.#bell, this.#events.address + MAX_EVENTS * EVENT, 8)
    return rung
  }

  #poll(milliseconds: number): number {
    return this.#native.epoll_wait(this.#fd, this.#events.address, MAX_EVENTS, milliseconds)
  }

  /** Each time that it was in vain, it takes twice as many quick answers before it is tried again. */
  #awake(milliseconds: number): number {
    const from = performance.now()
    if (this.#soon < this.#patience) {
      const count = this.#poll(milliseconds)
      this.#soon = performance.now() - from < SPIN_MS ? this.#soon + 1 : 0
      return count
    }
    do {
      const count = this.#poll(0)
      if (count > 0) {
        this.#patience = Math.max(LEAST_PATIENCE, this.#patience - 1)
        return count
      }
    } while (performance.now() - from < SPIN_MS)
    this.#soon = 0
    this.#patience = Math.min(this.#patience * 2, MOST_PATIENCE)
    return this.#poll(milliseconds)
  }

  close(): void {
    this.#native.close(this.#fd)
  }
}
