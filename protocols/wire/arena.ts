import type { Libc } from './libc.ts'

/**
 * Memory that system calls read and write: one ArrayBuffer, outside of V8's heap and so never moved, kept for as long as the arena
 * is referenced. Nothing in it is freed by hand, every system call here returns before its pointers are used again, and every length
 * handed to one is bounded by the field that it fills.
 */
export class Arena {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly address: number

  constructor(libc: Libc, size: number) {
    const buffer = new ArrayBuffer(size)
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.address = libc.addressOf(this.bytes)
  }

  u16(at: number, value: number): void {
    this.view.setUint16(at, value, true)
  }

  u32(at: number, value: number): void {
    this.view.setUint32(at, value, true)
  }

  /** 64 bits: a size or an address. */
  word(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true)
    this.view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
  }

  readU32(at: number): number {
    return this.view.getUint32(at, true)
  }

  /** struct iovec: where, and how much. */
  iovec(at: number, from: number, length: number): void {
    this.word(at, this.address + from)
    this.word(at + 8, length)
  }

  /** struct msghdr of LP64: name, iov and control are offsets in this arena. */
  msghdr(at: number, parts: { name: number; nameLength: number; iov: number; iovLength: number }): void {
    this.word(at, this.address + parts.name)
    this.u32(at + 8, parts.nameLength)
    this.word(at + 16, this.address + parts.iov)
    this.word(at + 24, parts.iovLength)
    this.word(at + 32, 0)
    this.word(at + 40, 0)
    this.u32(at + 48, 0)
  }

  /** struct sockaddr_in; address and port are in network order. */
  sockaddr4(at: number, address: number, port: number): void {
    this.u16(at, AF_INET)
    this.view.setUint16(at + 2, port)
    this.view.setUint32(at + 4, address)
    this.word(at + 8, 0)
  }
}

export const AF_INET = 2
export const SOCKADDR4 = 16
export const IOVEC = 16
export const MSGHDR = 56
/** struct mmsghdr: a msghdr, then how much came or went. */
export const MMSGHDR = 64
