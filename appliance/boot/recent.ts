/**
 * What is known of the keys seen last: of at least `generation` of them, and of less than twice as many. All of the older generation are
 * forgotten at once, so that a flood of made-up keys costs no work for each of them.
 */
export class Recent<Key, Value extends object> {
  readonly #generation: number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()

  constructor(generation: number) {
    this.#generation = generation
  }

  /** Who is asked for counts as seen. */
  get(key: Key): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: Key, value: Value): void {
    this.#young.set(key, value)
    if (this.#young.size < this.#generation) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
