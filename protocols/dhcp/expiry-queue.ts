interface Entry {
  expires: number
  address: number
}

/** Addresses by the moment from which they are free, soonest first: a binary heap that knows where each address stands. */
export class ExpiryQueue {
  readonly #heap: Entry[] = []
  readonly #position = new Map<number, number>()

  get length(): number {
    return this.#heap.length
  }

  first(): Readonly<Entry> | undefined {
    return this.#heap[0]
  }

  has(address: number): boolean {
    return this.#position.has(address)
  }

  /** An address has one entry: setting it again moves it. */
  set(address: number, expires: number): void {
    const entry = { address, expires }
    const at = this.#position.get(address) ?? this.#heap.length
    this.#place(at, entry)
    this.#sink(this.#rise(at, entry), entry)
  }

  #rise(from: number, entry: Entry): number {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = this.#heap[parent]
      if (above === undefined || above.expires <= entry.expires) break
      this.#place(at, above)
      at = parent
    }
    this.#place(at, entry)
    return at
  }

  #sink(from: number, entry: Entry): void {
    let at = from
    for (;;) {
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      if (left === undefined) break
      const [child, index] =
        right !== undefined && right.expires < left.expires ? [right, 2 * at + 2] : [left, 2 * at + 1]
      if (child.expires >= entry.expires) break
      this.#place(at, child)
      at = index
    }
    this.#place(at, entry)
  }

  #place(at: number, entry: Entry): void {
    this.#heap[at] = entry
    this.#position.set(entry.address, at)
  }
}
