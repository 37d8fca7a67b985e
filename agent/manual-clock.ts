import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/** A clock that tests move. Chance is always one half. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 1)
  #sleepers: { due: number; wake: () => void }[] = []
  /** Every sleep that was asked for, in seconds. */
  readonly sleeps: number[] = []

  now(): number {
    return this.#now
  }

  random(): number {
    return 0.5
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(milliseconds / 1000)
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      this.#sleepers.push({ due: this.#now + milliseconds, wake: resolve })
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Moves time on, waking each sleeper at its instant and letting it act before the next. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (;;) {
      await settle()
      const next = this.#sleepers.toSorted((a, b) => a.due - b.due)[0]
      if (!next || next.due > end) break
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next)
      this.#now = Math.max(this.#now, next.due)
      next.wake()
    }
    this.#now = end
  }
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await turn()
}
