import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'

export interface HeartbeatMeans {
  beat: () => Promise<void>
  clock: Clock
  log: Log
  /** How long the site waits before it thinks that we are gone. */
  timeoutSeconds: number
}

const shortestPause = 5000

/** Tells the site again and again that we are here, and soon after something has changed. */
export class Heartbeats {
  readonly #means: HeartbeatMeans
  readonly #stopped = new AbortController()
  #hurry = new AbortController()
  #changed = false

  constructor(means: HeartbeatMeans) {
    this.#means = means
  }

  /** Runs until stopped. */
  async run(): Promise<void> {
    const { beat, clock, log } = this.#means
    while (!this.#stopped.signal.aborted) {
      this.#changed = false
      let pause = this.#means.timeoutSeconds * 1000 * (0.3 + 0.3 * clock.random())
      try {
        await beat()
        log.debug('heartbeat', { next_in_s: Math.round(pause / 1000) })
      } catch (error) {
        pause = shortestPause * (1 + clock.random())
        log.warn('heartbeat failed', { because: reason(error), again_in_s: Math.round(pause / 1000) })
      }
      await this.#pause(pause)
    }
  }

  /** Something ended that the site waits for. */
  early(): void {
    this.#changed = true
    this.#hurry.abort()
  }

  stop(): void {
    this.#stopped.abort()
    this.#hurry.abort()
  }

  async #pause(milliseconds: number): Promise<void> {
    const { clock } = this.#means
    const shortest = Math.min(shortestPause, milliseconds)
    await clock.sleep(shortest, this.#stopped.signal)
    if (this.#changed || this.#stopped.signal.aborted) return
    this.#hurry = new AbortController()
    await clock.sleep(milliseconds - shortest, this.#hurry.signal)
  }
}
