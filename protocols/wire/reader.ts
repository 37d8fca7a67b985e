import { WireError } from './error.ts'

/** Takes bytes off the front of a packet. Reading past the end is a WireError, never an undefined or a RangeError. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u16le(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  u32le(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  /** A copy, so that what was decoded doesn't change when the socket's buffer is used again. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(start, start + length)) // not slice: a Buffer's would share memory
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining)
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** Bytes up to a NUL, which is consumed and not returned. */
  untilNul(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end < 0) throw new WireError(`no NUL ends the text that starts at byte ${this.#at}`)
    const text = this.bytes(end - this.#at)
    this.#at += 1
    return text
  }

  #take(length: number): number {
    if (length < 0 || length > this.remaining)
      throw new WireError(`${length} bytes wanted at byte ${this.#at} of ${this.#bytes.length}`)
    const start = this.#at
    this.#at += length
    return start
  }
}
