/** IPMI 2.0 §6.12.11: session sequence numbers count up from 1, wrap, and leave 0 out: it means "outside a session". */
export class SequenceCounter {
  #last: number

  constructor(last = 0) {
    this.#last = last
  }

  next(): number {
    this.#last = this.#last === 0xffff_ffff ? 1 : this.#last + 1
    return this.#last
  }
}

const AHEAD = 16
const BEHIND = 16

/** §6.12.13: accepts each number once, and only near the highest seen: a replayed or forged-late packet is dropped. Networks
 * reorder a little, so up to 15 behind is good. The first may be any: fresh keys have nothing to replay. Ask only after the packet's signature proved right. */
export class SequenceWindow {
  #highest: number | undefined
  /** Bit n: `highest - n` has been seen. */
  #seen = 0

  accept(sequence: number): boolean {
    if (sequence === 0) return false
    if (this.#highest === undefined) {
      this.#highest = sequence
      this.#seen = 1
      return true
    }
    const ahead = (sequence - this.#highest) | 0
    if (ahead > AHEAD || ahead <= -BEHIND) return false
    if (ahead > 0) {
      this.#seen = (this.#seen << ahead) | 1
      this.#highest = sequence
      return true
    }
    const bit = 1 << -ahead
    if ((this.#seen & bit) !== 0) return false
    this.#seen |= bit
    return true
  }
}
