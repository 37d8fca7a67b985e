import { Arena } from './arena.ts'
import type { Libc } from './libc.ts'

/** cpu_set_t: 1,024 processors. */
const SET_BYTES = 128

/** The processors of a set (a bit for each) dealt out to so many threads in turn: the thread of each, by its number. */
export function deal(set: Uint8Array, threads: number): (number | undefined)[] {
  let dealt = 0
  return Array.from({ length: set.length * 8 }, (_, processor) => {
    const isOurs = ((set[processor >> 3] ?? 0) & (1 << (processor & 7))) !== 0
    return isOurs ? dealt++ % threads : undefined
  })
}

/**
 * Binds the calling thread to its share of the processors that it may use. Returns which thread has which processor; empty where there is
 * nothing to share, or the system refuses.
 */
export function takeShare(native: Libc, thread: number, threads: number): (number | undefined)[] {
  const arena = new Arena(native, SET_BYTES)
  if (threads < 2 || native.sched_getaffinity(0, SET_BYTES, arena.address) < 0) return []
  const owners = deal(arena.bytes, threads)
  if (!owners.includes(thread)) return []
  arena.bytes.fill(0)
  owners.forEach((owner, processor) => {
    const at = processor >> 3
    if (owner === thread) arena.bytes[at] = (arena.bytes[at] ?? 0) | (1 << (processor & 7))
  })
  return native.sched_setaffinity(0, SET_BYTES, arena.address) < 0 ? [] : owners
}
