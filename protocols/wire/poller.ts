import { Arena } from './arena.ts'
import { failed, type Libc } from './libc.ts'

const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CLOEXEC = 0x80000
const EVENTS = { readable: 1, writable: 4 } as const
const MAX_EVENTS = 64
/** epoll_event is packed on x86-64 only. */
const EVENT = process.arch === 'x64' ? 12 : 16
const DATA = EVENT - 8

/** Waits for many descriptors and for a bell: an eventfd that another thread writes to when it has something to say. */
export class Poller {
  readonly #native: Libc
  readonly #bell: number
  readonly #fd: number
  readonly #events: Arena

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

  /** Hands over what is ready; whether the bell rang. */
  wait(milliseconds: number, ready: (fd: number) => void): boolean {
    const count = this.#native.epoll_wait(this.#fd, this.#events.address, MAX_EVENTS, milliseconds)
    let rung = false
    for (let index = 0; index < count; index += 1) {
      const fd = this.#events.readU32(index * EVENT + DATA)
      if (fd === this.#bell) rung = true
      else ready(fd)
    }
    if (rung) this.#native.read(this.#bell, this.#events.address + MAX_EVENTS * EVENT, 8)
    return rung
  }

  close(): void {
    this.#native.close(this.#fd)
  }
}
