import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'

/** Time that stands still until everything that could happen now has happened, then jumps to the next timer. */
export interface VirtualClock extends Clock {
  /** Lets time run until `work` is settled. */
  run<T>(work: Promise<T>): Promise<T>
  pass(ms: number): void
}

export function virtualClock(): VirtualClock {
  let now = 0
  const timers = new Set<{ at: number; run: () => void }>()
  return {
    now: () => now,
    pass: (ms) => (now += ms),
    after: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async run(work) {
      const state = { settled: false }
      const settle = (): void => void (state.settled = true)
      work.then(settle, settle)
      for (;;) {
        // Name look-ups and promises take some turns of the real event loop.
        for (let turns = 0; turns < 20 && !state.settled; turns += 1) await turn()
        if (state.settled) return work
        const next = [...timers].sort((a, b) => a.at - b.at)[0]
        if (!next) continue
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
    },
  }
}
