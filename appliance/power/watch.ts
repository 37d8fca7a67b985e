import type { PowerState } from '../../contract/resources.ts'
import type { Lane } from './lanes.ts'
import type { Policy } from './policy.ts'

/** What is known of one BMC, and what is to be thought of what it says. Pure: time and chance are handed in. */

/** What was heard when it was asked. */
export type Heard = { power: 'power on' | 'power off' } | { silent: string }

export interface Watch {
  /** When to ask next. */
  due: number
  /** Who may be long about an answer is asked apart, so that nobody waits behind it. */
  lane: Lane
  /** As it was told last. */
  known: PowerState | null
  /** The last change, or plan: the longer ago, the more seldom it is asked. A start of ours is none: what stood still goes on doing so. */
  stirred: number
  /** Another state than the known one, and since when it is read without a break. */
  doubt: { power: PowerState; since: number } | undefined
  /** What was read last, and since when that is so. */
  read: { power: PowerState; since: number } | undefined
  /** When the state read was another than the one before, with nobody having asked for it. */
  flips: number[]
  misses: number
  silentSince: number | undefined
  /** Told that it fails, when last; undefined: it does not. */
  faultAt: number | undefined
  /** The cloud is to be told when it works again. */
  owed: boolean
  /** Faults of the last day. */
  faults: number[]
  answersSince: number | undefined
}

/** What the cloud is to hear of it. */
export type Tell = { power: PowerState } | { fault: string } | { recovered: true }

const CONFIRM_MS = 2000
const SLOW_MS = 2000
/** The first question after a miss. */
const AGAIN_MS = 15_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** So many changes by itself in an hour are no changes but a BMC that contradicts itself, until it has said one thing for so long. */
const MOST_FLIPS = 8
const CALM_MS = 600_000
/** People may have ended maintenance meanwhile, and a fault that is known is no news. */
const REMIND_MS = HOUR / 2

export function newWatch(known: PowerState | null, due: number, owed: boolean): Watch {
  const nothing = { doubt: undefined, read: undefined, silentSince: undefined, answersSince: undefined }
  return {
    due,
    lane: 'steady',
    known,
    stirred: known === null ? due : -Infinity,
    flips: [],
    misses: 0,
    faultAt: undefined,
    owed,
    faults: [],
    ...nothing,
  }
}

/** A plan was at work on it, and said what power is: what was thought before is void. */
export function afterPlan(watch: Watch, known: PowerState | null, now: number, { busy }: Policy): Watch {
  const { owed, faults, lane } = watch
  return { ...newWatch(known, now + busy, owed), stirred: now, lane, faults }
}

/** It was asked at `asked`, and that was heard at `now`. `chance` is of [0, 1): thousands are not to be asked at the same instant. */
export function heard(
  before: Watch,
  what: Heard,
  { asked, now, chance }: { asked: number; now: number; chance: number },
  policy: Policy,
): { watch: Watch; tell: Tell[] } {
  const about = (ms: number): number => now + ms * (0.9 + chance / 5)
  if ('silent' in what) return missed(before, what.silent, asked, now, about, policy)
  const watch = answered(before, what.power, asked, now)
  const tell: Tell[] = []
  const contradicts = watch.flips.length > MOST_FLIPS
  if (contradicts && now - watch.read!.since < CALM_MS) {
    const why = `its BMC contradicts itself: power changed ${watch.flips.length} times within an hour, and nobody asked for it`
    const [after, told] = withFault({ ...watch, answersSince: undefined }, why, now, true)
    return { watch: { ...after, due: about(Math.min(policy.idle, CALM_MS / 10)) }, tell: told }
  }
  if (contradicts) watch.flips = []
  if (watch.doubt && (watch.known === null || now - watch.doubt.since >= CONFIRM_MS)) {
    watch.known = watch.doubt.power
    watch.stirred = now
    watch.doubt = undefined
    tell.push({ power: watch.known })
  }
  if (watch.owed && now - watch.answersSince! >= hold(watch, policy)) {
    watch.owed = false
    watch.faultAt = undefined
    tell.push({ recovered: true })
  }
  const patience = Math.min(Math.max((now - watch.stirred) / 8, policy.busy), policy.idle)
  const due = watch.doubt ? now + CONFIRM_MS : about(watch.owed ? Math.min(patience, policy.broken / 4) : patience)
  return { watch: { ...watch, due }, tell }
}

function answered(before: Watch, power: PowerState, asked: number, now: number): Watch {
  const flipped = before.read !== undefined && before.read.power !== power
  const flips = before.flips.filter((at) => now - at < HOUR)
  if (flipped) flips.push(now)
  const read = flipped || !before.read ? { power, since: now } : before.read
  return {
    ...before,
    misses: 0,
    silentSince: undefined,
    lane: now - asked >= SLOW_MS ? 'slow' : 'steady',
    flips,
    read,
    doubt: power === before.known ? undefined : (before.doubt ?? { power, since: now }),
    answersSince: before.answersSince ?? now,
  }
}

function missed(
  before: Watch,
  why: string,
  asked: number,
  now: number,
  about: (ms: number) => number,
  policy: Policy,
): { watch: Watch; tell: Tell[] } {
  const misses = before.misses + 1
  const silentSince = before.silentSince ?? asked
  const backoff = Math.min(AGAIN_MS * 2 ** Math.min(misses - 1, 16), policy.broken)
  const watch = {
    ...before,
    misses,
    silentSince,
    lane: 'silent' as const,
    answersSince: undefined,
    due: about(backoff),
  }
  const minutes = Math.max(1, Math.round((now - silentSince) / 60_000))
  const text = `its BMC did not answer ${misses} times in ${minutes} min: ${why}`
  const [after, tell] = withFault(watch, text, now, misses >= policy.misses && now - silentSince >= policy.silence)
  return { watch: after, tell }
}

function withFault(watch: Watch, text: string, now: number, isOne: boolean): [Watch, Tell[]] {
  const isNew = watch.faultAt === undefined
  if (!isOne || (!isNew && now - watch.faultAt! < REMIND_MS)) return [watch, []]
  const faults = [...watch.faults.filter((at) => now - at < DAY), ...(isNew ? [now] : [])].slice(-16)
  return [{ ...watch, faultAt: now, owed: true, faults }, [{ fault: text }]]
}

/** One that fails again and again has to prove itself longer each time. */
function hold({ faults }: Watch, { broken }: Policy): number {
  return Math.min((broken / 5) * 2 ** Math.max(0, faults.length - 1), Math.max(HOUR, broken))
}
