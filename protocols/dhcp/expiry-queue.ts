interface Entry {
  expires: number
  address: number
  /** Where in the heap it stands. */
  at: number
}

/** Addresses by the moment from which they are free, soonest first: a binary heap that knows where each address stands. */
export class ExpiryQueue {
  readonly #heap: Entry[] = []
  readonly #entries = new Map<number, Entry>()

  get length(): number {
    return this.#heap.length
  }

  first(): Readonly<Entry> | undefined {
    return this.#heap[0]
  }

  has(address: number): boolean {
    return this.#entries.has(address)
  }

  /** An address has one entry: setting it again moves it. */
  set(address: number, expires: number): void {
    const entry = this.#entries.get(address) ?? this.#appended(address)
    entry.expires = expires
    this.#sink(this.#rise(entry.at, entry), entry)
  }

  #appended(address: number): Entry {
    const entry = { address, expires: 0, at: this.#heap.length }
    this.#heap.push(entry)
    this.#entries.set(address, entry)
    return entry
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
      if (left === undefined) break
      const right = this.#heap[2 * at + 2]
      const child = right !== undefined && right.expires < left.expires ? right : left
      if (child.expires >= entry.expires) break
      const below = child.at
      this.#place(at, child)
      at = below
    }
    this.#place(at, entry)
  }

  #place(at: number, entry: Entry): void {
    this.#heap[at] = entry
    entry.at = at
  }
}
