import type { Clock } from '../../../appliance/clock.ts'

/** So much of an appliance's time passes at once at most: while a busy machine keeps this process waiting, its clock waits too, and what
 * is slow is not late. */
const AT_ONCE_MS = 2000

/** It begins behind the wall's, or it would soon be beyond the deadlines that a cloud gives by its own clock: at fifty times its speed those of
 * power commands in twelve seconds. */
const BEHIND_MS = 12 * 3_600_000

/** The appliance's time, `speed` times faster than the wall's: real sockets and real SQLite in between, minutes of waiting in moments. */
export function fastClock(speed: number): Clock {
  const sleepers = new Set<{ until: number; wake(): void }>()
  let time = Date.now() - BEHIND_MS
  let looked = performance.now()
  let next: NodeJS.Timeout | undefined

  function pass(): number {
    const wall = performance.now()
    const passed = (wall - looked) * speed
    time += next === undefined ? passed : Math.min(passed, AT_ONCE_MS)
    looked = wall
    return time
  }

  function tick(): void {
    const now = pass()
    const due = [...sleepers].filter(({ until }) => until <= now).sort((a, b) => a.until - b.until)
    for (const sleeper of due) {
      sleepers.delete(sleeper)
      sleeper.wake()
    }
    wind()
  }

  /** Looked at so often that nothing is lost unless this process is kept waiting. */
  function wind(): void {
    const now = pass()
    clearTimeout(next)
    next = undefined
    if (sleepers.size === 0) return
    const earliest = Math.min(...[...sleepers].map(({ until }) => until))
    next = setTimeout(tick, Math.min(Math.max(0, earliest - now), AT_ONCE_MS / 2) / speed)
  }

  return {
    now: () => new Date(pass()),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error)
          return
        }
        const stop = (): void => {
          sleepers.delete(sleeper)
          wind()
          reject(signal!.reason as Error)
        }
        const sleeper = {
          until: pass() + ms,
          wake: () => {
            signal?.removeEventListener('abort', stop)
            resolve()
          },
        }
        signal?.addEventListener('abort', stop, { once: true })
        sleepers.add(sleeper)
        wind()
      }),
  }
}
