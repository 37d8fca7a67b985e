import { cpus } from 'node:os'

/** Whether this machine's processors have anything to spare, for what can wait. */
export interface Processors {
  areBusy(): boolean
}

export interface Ticks {
  idle: number
  all: number
}

/** Shorter than this, the kernel's ticks of 10 ms say little. */
const LOOK_MS = 250
/** A look so long ago says nothing of now. */
const STALE_MS = 2000
/** Below this share of idle time, what runs takes turns. */
const SPARE = 0.15

export function openProcessors(now: () => number, ticks: () => Ticks = ticksOfAll): Processors {
  let last: { at: number; ticks: Ticks } | undefined
  let busy = false
  return {
    areBusy() {
      const at = now()
      if (last && at - last.at < LOOK_MS) return busy
      const seen = ticks()
      const all = last ? seen.all - last.ticks.all : 0
      // Without a look shortly before, nothing is known: who can wait a quarter of a second does.
      busy = !last || at - last.at > STALE_MS || all <= 0 || (seen.idle - last.ticks.idle) / all < SPARE
      last = { at, ticks: seen }
      return busy
    },
  }
}

function ticksOfAll(): Ticks {
  const sum = { idle: 0, all: 0 }
  for (const { times } of cpus()) {
    sum.idle += times.idle
    sum.all += times.user + times.nice + times.sys + times.idle + times.irq
  }
  return sum
}
