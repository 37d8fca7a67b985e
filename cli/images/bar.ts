import type { PushProgress } from './push.ts'

const EVERY_MS = 200
const MIB = 1024 * 1024

export interface Totals {
  stored: number
  skipped: number
}

/** How far a push is: in place on a terminal, at each tenth elsewhere. */
export function pushBar(size: number, silent: boolean): { progress: PushProgress; totals: Totals } {
  const { stderr } = process
  const begun = Date.now()
  const totals: Totals = { stored: 0, skipped: 0 }
  let [read, last, tenth] = [0, 0, 0]
  const line = (now: number): string => {
    const seconds = Math.max((now - begun) / 1000, 0.001)
    const rate = read / seconds
    const left = rate > 0 ? Math.ceil((size - read) / rate) : 0
    const mib = (bytes: number): string => (bytes / MIB).toFixed(0)
    return (
      `pushing ${Math.floor((read / size) * 100)}% of ${mib(size)} MiB: ${mib(totals.stored)} MiB stored, ` +
      `${mib(totals.skipped)} MiB already there, ${mib(rate)} MiB/s, ${left} s left`
    )
  }
  function show(): void {
    if (silent) return
    const now = Date.now()
    const ended = read >= size
    if (stderr.isTTY) {
      if (!ended && now - last < EVERY_MS) return
      last = now
      stderr.write(`\r\u001b[K${line(now)}${ended ? '\n' : ''}`)
    } else if (Math.floor((read / size) * 10) > tenth) {
      tenth = Math.floor((read / size) * 10)
      stderr.write(`${line(now)}\n`)
    }
  }
  const progress: PushProgress = {
    read(bytes) {
      read += bytes
      show()
    },
    stored: (bytes) => void (totals.stored += bytes),
    skipped: (bytes) => void (totals.skipped += bytes),
  }
  return { progress, totals }
}
