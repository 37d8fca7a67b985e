import type { Clock } from '../clock.ts'

interface Sleeper {
  at: number
  wake(): void
}

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: number
  #sleepers: Sleeper[] = []

  constructor(start = '2026-01-01T00:00:00.000Z') {
    this.#now = Date.parse(start)
  }

  now(): Date {
    return new Date(this.#now)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const stop = (): void => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper)
        reject(signal!.reason as Error)
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }
      const sleeper: Sleeper = { at: this.#now + ms, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  /** Wakes whoever is due on the way, each at its time, and lets each act before time goes on. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms
    await settled()
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at > target) break
      this.#sleepers = this.#sleepers.filter((each) => each !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await settled()
    }
    this.#now = target
    await settled()
  }
}

/** All that can go on without time passing has gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
