import { z } from 'zod'
import { type HealthCause, healthLevel, type HealthLevel, rank } from '../../contract/health.ts'
import { instant } from '../../contract/resources.ts'
import type { Ailment } from './look.ts'

/** What is believed of each part of a machine, so that a reading that hovers at its threshold doesn't flap. Worse news are believed when
 * two looks in a row bring them, better ones when three do and the bad ones have stood for a while, twice as long each time they come back. Pure. */

const belief = z.object({
  level: healthLevel,
  text: z.string(),
  since: instant,
  /** How long a worse level stands at least. */
  hold: z.number(),
  /** Looks in a row that saw something else: all worse, or all better, and of these the level that is nearest to the believed one. */
  doubt: z.object({ looks: z.int().positive(), level: healthLevel, text: z.string() }).optional(),
})
export type Belief = z.infer<typeof belief>

/** By subject. */
export const beliefs = z.record(z.string(), belief)
export type Beliefs = z.infer<typeof beliefs>

const [WORSE_LOOKS, BETTER_LOOKS] = [2, 3]
const [HOLD_MS, MOST_HOLD_MS] = [900_000, 6 * 3_600_000]
/** So long after its end, a trouble that comes back is the old one. */
const MEMORY_MS = 24 * 3_600_000
const MOST_SUBJECTS = 64

export function believe(before: Beliefs, ailments: readonly Ailment[], now: Date): Beliefs {
  const seen = new Map<string, Ailment>()
  for (const each of ailments) if (isWorse(each.level, seen.get(each.subject)?.level)) seen.set(each.subject, each)
  const subjects = [...new Set([...Object.keys(before), ...seen.keys()])]
  const after = subjects.map((subject) => [subject, judged(before[subject], seen.get(subject), now)] as const)
  const kept = after.filter(([, each]) => each !== undefined) as [string, Belief][]
  const order = ({ level, doubt }: Belief): number => Math.max(rank(level), rank(doubt?.level ?? 'OK'))
  return Object.fromEntries(kept.toSorted(([, a], [, b]) => order(b) - order(a)).slice(0, MOST_SUBJECTS))
}

function isWorse(level: HealthLevel, than: HealthLevel | undefined): boolean {
  return than === undefined || rank(level) > rank(than)
}

/** Undefined: nothing is to be remembered of it. */
function judged(known: Belief | undefined, seen: Ailment | undefined, now: Date): Belief | undefined {
  const level = seen?.level ?? 'OK'
  const old = known ?? { level: 'OK' as const, text: '', since: now.toISOString(), hold: 0 }
  const age = now.getTime() - Date.parse(old.since)
  if (level === old.level) {
    if (level === 'OK' && age >= MEMORY_MS) return undefined
    const { doubt: _dispelled, ...sure } = old
    return known === undefined ? undefined : sure
  }
  const worse = rank(level) > rank(old.level)
  const sameWay = old.doubt !== undefined && rank(old.doubt.level) > rank(old.level) === worse
  const looks = sameWay ? (old.doubt?.looks ?? 0) + 1 : 1
  const nearest = sameWay && old.doubt && rank(old.doubt.level) > rank(level) !== worse ? old.doubt.level : level
  const believed = worse ? looks >= WORSE_LOOKS : looks >= BETTER_LOOKS && age >= old.hold
  if (!believed) return { ...old, doubt: { looks, level: nearest, text: seen?.text ?? '' } }
  const hold = worse ? Math.min(Math.max(HOLD_MS, old.hold * 2), MOST_HOLD_MS) : old.hold
  return { level: nearest, text: seen?.text ?? '', since: now.toISOString(), hold }
}

/** Something worse was seen once: a look soon tells whether it is so. */
export function isAlarmed(of: Beliefs): boolean {
  return Object.values(of).some(({ level, doubt }) => doubt !== undefined && isWorse(doubt.level, level))
}

/** The worst first. */
export function causesOf(of: Beliefs): HealthCause[] {
  return Object.entries(of)
    .flatMap(([subject, { level, text, since }]) => (level === 'OK' ? [] : [{ subject, level, text, since }]))
    .toSorted((a, b) => rank(b.level) - rank(a.level) || (a.subject < b.subject ? -1 : 1))
}
