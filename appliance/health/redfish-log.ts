import { z } from 'zod'
import type { LogEntry } from '@bloomery/redfish/log.ts'
import { healthLevel } from '../../contract/health.ts'
import { clip, type Entry } from './look.ts'

const MOST_KNOWN = 256
const MOST_ENTRIES = 64

/** How far a log was read. A BMC's clock may begin anew with each of its starts, so that of a log of ordinary length every entry is known; of a
 * longer one the newest by its clock. */
export const logMark = z.object({
  /** Id and time of each. */
  known: z.array(z.string().max(1200)).max(MOST_KNOWN),
  whole: z.boolean(),
  latest: z.number(),
})
export type LogMark = z.infer<typeof logMark>

/** What a log has that its mark has not; without a mark nothing is news. Pure. */
export function logNews(
  book: string,
  mark: LogMark | undefined,
  entries: readonly LogEntry[],
): { entries: Entry[]; erased: boolean; mark: LogMark } {
  const timed = entries.map((entry) => ({ ...entry, key: keyOf(entry), time: timeOf(entry) }))
  const inOrder = timed.toSorted((a, b) => a.time - b.time)
  const latest = inOrder.at(-1)?.time ?? 0
  const whole = inOrder.length <= MOST_KNOWN
  const known = (whole ? inOrder : inOrder.filter(({ time }) => time === latest).slice(0, MOST_KNOWN)).map(
    ({ key }) => key,
  )
  const next = { known, whole, latest }
  if (!mark) return { entries: [], erased: false, mark: next }
  const before = new Set(mark.known)
  const fresh = inOrder.filter(({ key, time }) => !before.has(key) && (mark.whole || time >= mark.latest))
  const left = inOrder.some(({ key }) => before.has(key))
  return {
    entries: fresh.slice(-MOST_ENTRIES).map((each) => entryOf(book, each)),
    erased: mark.whole && before.size > 0 && !left,
    mark: next,
  }
}

function keyOf({ id, at }: LogEntry): string {
  return `${id.slice(0, 1024)} ${at?.slice(0, 64) ?? ''}`
}

function timeOf({ at }: LogEntry): number {
  return Date.parse(at ?? '') || 0
}

function entryOf(book: string, { id, time, severity, text }: LogEntry & { time: number }): Entry {
  const level = healthLevel.safeParse(severity).data ?? 'OK'
  const said = clip(text, 256)
  return {
    at: time === 0 ? null : new Date(time).toISOString(),
    level,
    text: said || `entry ${clip(id, 64)} of ${clip(book, 64)}`,
    // Warnings are told, and make nobody unwell: BMCs warn of a failed log-in, too.
    blames: level === 'Critical' ? clip(`log ${said}`, 128) : undefined,
    absolves: undefined,
  }
}
