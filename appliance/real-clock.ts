import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from './clock.ts'

export const realClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      // Node's own error says "aborted" only; the signal's reason says why.
      throw signal?.aborted ? signal.reason : error
    }
  },
}
