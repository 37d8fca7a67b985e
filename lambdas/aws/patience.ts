import { setTimeout as sleep } from 'node:timers/promises'

/** Full jitter: contenders that met once must not meet again at each attempt. */
const FIRST_MS = 20
const LONGEST_MS = 1000
/** Below API Gateway's 30 s, with room for the rest of the request. */
const PATIENCE_MS = 10_000

export class Patience {
  #attempt = 0
  readonly #until = Date.now() + PATIENCE_MS

  /** Waits before another attempt; false once there is no more time for one. */
  async again(): Promise<boolean> {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#attempt++)
    const wait = Math.random() * longest
    if (Date.now() + wait > this.#until) return false
    await sleep(wait)
    return true
  }
}
