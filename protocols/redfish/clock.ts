/** Time as this library uses it. Tests and simulations hand in their own. */
export interface Clock {
  /** Milliseconds, from any origin, never going back. */
  now(): number
  /** Runs once after `ms`, unless the returned function is called first. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}
