import { setTimeout as delay } from 'node:timers/promises'

/** Time and chance, handed in so that tests need neither. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number
  /** Ends early, without error, when the signal is aborted. */
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** From 0 (inclusive) to 1 (exclusive). */
  random: () => number
}

export const realClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  async sleep(milliseconds, signal) {
    try {
      await delay(milliseconds, undefined, { signal })
    } catch (cause) {
      if (!signal?.aborted) throw cause
    }
  },
}
