import { Arena, IOVEC, MMSGHDR, SOCKADDR4 } from './arena.ts'
import type { Endpoint } from './ipv4-socket.ts'
import type { Libc } from './libc.ts'

/** Slots for datagrams that one system call takes many of: their headers first, then names, vectors and bytes. */
export class BatchSlots {
  readonly arena: Arena
  readonly #count: number
  readonly #bytesEach: number
  /** Of the same memory: it copies faster. */
  readonly #buffer: Buffer

  constructor(native: Libc, count: number, bytesEach: number) {
    this.arena = new Arena(native, count * (MMSGHDR + SOCKADDR4 + IOVEC + bytesEach))
    this.#count = count
    this.#bytesEach = bytesEach
    this.#buffer = Buffer.from(this.arena.bytes.buffer)
    for (let slot = 0; slot < count; slot += 1) {
      const [name, iov] = [this.#name(slot), this.#vector(slot)]
      this.arena.msghdr(slot * MMSGHDR, { name, nameLength: SOCKADDR4, iov, iovLength: 1 })
      this.arena.iovec(iov, this.#bytes(slot), bytesEach)
    }
  }

  endpoint(slot: number): Endpoint {
    const { view } = this.arena
    const name = this.#name(slot)
    return { address: view.getUint32(name + 4), port: view.getUint16(name + 2) }
  }

  /** From Node's pool: memory of its own for each datagram costs more than all the rest of receiving it. */
  copyOf(slot: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length)
    const start = this.#bytes(slot)
    this.#buffer.copy(bytes, 0, start, start + length)
    return bytes
  }

  fill(slot: number, bytes: Uint8Array, to: Endpoint): void {
    this.arena.sockaddr4(this.#name(slot), to.address, to.port)
    this.arena.bytes.set(bytes, this.#bytes(slot))
    this.arena.word(this.#vector(slot) + 8, bytes.length)
  }

  #name(slot: number): number {
    return this.#count * MMSGHDR + slot * SOCKADDR4
  }

  #vector(slot: number): number {
    return this.#count * (MMSGHDR + SOCKADDR4) + slot * IOVEC
  }

  #bytes(slot: number): number {
    return this.#count * (MMSGHDR + SOCKADDR4 + IOVEC) + slot * this.#bytesEach
  }
}
