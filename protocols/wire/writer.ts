/** Appends to a packet that grows as needed. A value that doesn't fit its field is the caller's bug: RangeError. */
export class Writer {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16))
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    inRange(value, 0xff)
    const at = this.#grow(1)
    this.#view.setUint8(at, value)
    return this
  }

  u16(value: number): this {
    inRange(value, 0xffff)
    const at = this.#grow(2)
    this.#view.setUint16(at, value)
    return this
  }

  u16le(value: number): this {
    inRange(value, 0xffff)
    const at = this.#grow(2)
    this.#view.setUint16(at, value, true)
    return this
  }

  u32(value: number): this {
    inRange(value, 0xffff_ffff)
    const at = this.#grow(4)
    this.#view.setUint32(at, value)
    return this
  }

  u32le(value: number): this {
    inRange(value, 0xffff_ffff)
    const at = this.#grow(4)
    this.#view.setUint32(at, value, true)
    return this
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length)
    this.#bytes.set(value, at)
    return this
  }

  zeros(length: number): this {
    if (length < 0) throw new RangeError(`${length} zero bytes asked for`)
    this.#grow(length)
    return this
  }

  /** A fixed-width field: the value, then zeros up to `width`. */
  padded(value: Uint8Array, width: number): this {
    if (value.length > width) throw new RangeError(`${value.length} bytes do not fit a field of ${width}`)
    return this.bytes(value).zeros(width - value.length)
  }

  /** A copy of what was written so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(by: number): number {
    const start = this.#length
    if (start + by > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, start + by))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    this.#length = start + by
    return start
  }
}

function inRange(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new RangeError(`${value} does not fit a field of at most ${max}`)
}
