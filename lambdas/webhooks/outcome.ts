import type { Write } from '../platform.ts'
import { deliveryItem, deliveryKey, failureItem, type Standing, type Waiting } from '../store/webhooks.ts'
import { GIVE_UP_SECONDS, later, pauseSeconds, REFUSALS } from './backoff.ts'
import type { Answer } from './post.ts'

export interface Outcome {
  waiting: Waiting
  answer: Answer
}

export interface Settled {
  standing: Standing
  writes: Write[]
  /** The receiver wants nothing any more. */
  gone: boolean
}

/** What a round of attempts comes to: what was taken is gone, the rest waits or is given up; a receiver that took nothing rests. */
export function settle(
  webhook: string,
  before: Standing,
  outcomes: Outcome[],
  now: Date,
  random: () => number,
): Settled {
  const answers = outcomes.map(({ answer }) => answer)
  const failed = answers.filter((answer) => !answer.taken)
  const writes = outcomes.flatMap((outcome) => writesOf(webhook, outcome, now, random))
  const gone = failed.some((answer) => answer.gone)
  if (failed.length < answers.length) {
    const well = { failures: 0, failing_since: null, last_error: null, resting_until: null }
    return { standing: { ...before, ...well, last_success_at: now.toISOString() }, writes, gone }
  }
  const failures = before.failures + 1
  const asked = Math.max(...failed.map(({ afterSeconds = 0 }) => afterSeconds))
  const standing: Standing = {
    ...before,
    failures,
    failing_since: before.failing_since ?? now.toISOString(),
    last_error: failed.at(-1)?.why ?? null,
    resting_until: later(now, pauseSeconds(failures, random(), asked)),
  }
  return { standing, writes, gone }
}

function writesOf(webhook: string, { waiting, answer }: Outcome, now: Date, random: () => number): Write[] {
  const { next_at: _next, ...delivery } = waiting
  if (answer.taken) return [{ delete: deliveryKey(webhook, waiting) }]
  const tried = { ...delivery, attempts: delivery.attempts + 1, last_error: answer.why }
  const age = now.getTime() - Date.parse(waiting.queued_at)
  if (age >= GIVE_UP_SECONDS * 1000 || (answer.refused && tried.attempts >= REFUSALS))
    return [
      { delete: deliveryKey(webhook, waiting), expect: 'present' },
      { put: failureItem(webhook, { ...tried, failed_at: now.toISOString() }) },
    ]
  const next_at = later(now, pauseSeconds(tried.attempts, random(), answer.afterSeconds))
  return [{ put: deliveryItem(webhook, { ...tried, next_at }), expect: 'present' }]
}
