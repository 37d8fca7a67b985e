import type { Clock } from '../../../appliance/clock.ts'

/** The appliance's time, `speed` times faster than the wall's: real sockets and real SQLite in between, minutes of waiting in moments. */
export function fastClock(speed: number): Clock {
  const origin = Date.now()
  return {
    now: () => new Date(origin + (Date.now() - origin) * speed),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error)
          return
        }
        const stop = (): void => {
          clearTimeout(timer)
          reject(signal!.reason as Error)
        }
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', stop)
          resolve()
        }, ms / speed)
        signal?.addEventListener('abort', stop, { once: true })
      }),
  }
}
