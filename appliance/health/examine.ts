import { z } from 'zod'
import { type LogLine, MOST_CAUSES, MOST_LINES, worst } from '../../contract/health.ts'
import type { NewReport } from '../ledger/outbox.ts'
import { beliefs, believe, causesOf, isAlarmed } from './beliefs.ts'
import type { Ailment, Entry, Logged, Look } from './look.ts'

/** What a site remembers of a machine's health from look to look. */
export const healthState = z.object({
  beliefs,
  /** What the log blames, by subject, and until when unless it does so again. */
  blamed: z.record(
    z.string(),
    z.object({ level: z.enum(['Warning', 'Critical']), text: z.string(), until: z.number() }),
  ),
  /** What the cloud was told last; null: nothing yet. */
  told: z.string().nullable(),
})
export type HealthState = z.infer<typeof healthState>
export const newHealth: HealthState = { beliefs: {}, blamed: {}, told: null }

type HealthReport = Omit<Extract<NewReport, { kind: 'health' }>, 'kind' | 'node'>

/** A log says when something broke, and seldom when it was mended. */
const BLAME_MS = 24 * 3_600_000
const MOST_BLAMED = 32

/** What follows from a look. `again`: worse was seen, and a second look should come soon. Pure. */
export function examine(
  { beliefs: before, blamed, told }: HealthState,
  look: Pick<Look, 'ailments' | 'log'>,
  now: Date,
): { state: HealthState; report: HealthReport | undefined; again: boolean } {
  const blames = blamesOf(blamed, look.log, now.getTime())
  const logged = Object.entries(blames).map(([subject, { level, text }]): Ailment => ({ subject, level, text }))
  const after = believe(before, [...look.ailments, ...logged], now)
  const again = isAlarmed(after)
  const causes = causesOf(after)
  const health = worst(causes.map(({ level }) => level))
  const said = JSON.stringify(causes.map(({ subject, level }) => [subject, level]))
  const { lines, leftOut } = linesOf(look.log.entries)
  // At first, whether all is well is only known when nothing is in doubt.
  const news = told === null ? !again : said !== told
  const state = { beliefs: after, blamed: blames, told: news ? said : told }
  if (!news && lines.length === 0) return { state, report: undefined, again }
  const more = leftOut > 0 ? { log_left_out: leftOut } : {}
  return { state, report: { health, causes: causes.slice(0, MOST_CAUSES), log: lines, ...more }, again }
}

function blamesOf(before: HealthState['blamed'], { entries, erased }: Logged, now: number): HealthState['blamed'] {
  const after = new Map(Object.entries(erased ? {} : before).filter(([, { until }]) => until > now))
  for (const { blames, absolves, level, text } of entries) {
    if (absolves !== undefined) after.delete(absolves)
    if (blames === undefined || level === 'OK') continue
    after.delete(blames)
    after.set(blames, { level, text: `the BMC's log: ${text}`.slice(0, 256), until: now + BLAME_MS })
  }
  return Object.fromEntries([...after].slice(-MOST_BLAMED))
}

/** What repeats is told once; of too many, the last. */
function linesOf(entries: readonly Entry[]): { lines: LogLine[]; leftOut: number } {
  const lines: LogLine[] = []
  for (const { at, level, text } of entries) {
    const last = lines.at(-1)
    if (last?.text === text && last.level === level) lines[lines.length - 1] = { ...last, at, times: last.times + 1 }
    else lines.push({ at, level, text, times: 1 })
  }
  return { lines: lines.slice(-MOST_LINES), leftOut: Math.max(0, lines.length - MOST_LINES) }
}
