import { type Message } from './messages.ts'
import { header, type Reply, type Request, type TransportFault } from './transport.ts'

/** What to do about an answer, or about none. */
export type Verdict = 'accept' | 'fail' | { againAfterMs: number }

const FIRST_WAIT = 500
const LONGEST_WAIT = 8000
/** A Retry-After beyond this is not obeyed: the deadline of the operation counts. */
const LONGEST_OBEYED = 60_000
const LATER_WAIT = 5000

/** Messages by which BMCs say "not now" with whatever status. The machine is in POST, or the BMC is still starting. */
const later = new Set([
  'UnableToModifyDuringSystemPOST',
  'ServiceTemporarilyUnavailable',
  'ResourceInStandby',
  'ServerInPOST',
])

export function waitBefore(attempt: number, chance: number): number {
  return Math.min(FIRST_WAIT * 2 ** Math.min(attempt, 10), LONGEST_WAIT) * (0.75 + chance / 2)
}

export function judgeFault(
  fault: TransportFault,
  method: Request['method'],
  attempt: number,
  chance: number,
): Exclude<Verdict, 'accept'> {
  switch (fault.kind) {
    case 'stale':
      return { againAfterMs: 0 }
    case 'refused':
    case 'name':
      return { againAfterMs: waitBefore(attempt, chance) }
    case 'reset':
    case 'silent':
      // A POST or DELETE may have been carried out before its answer was lost.
      return method === 'GET' || method === 'PATCH' || method === 'PUT'
        ? { againAfterMs: waitBefore(attempt, chance) }
        : 'fail'
    default:
      return 'fail'
  }
}

/** By class of error: what the BMC has not done can be asked again; what it may have done only if that does no harm. */
export function judgeReply(
  reply: Pick<Reply, 'status' | 'headers'>,
  messages: readonly Message[],
  method: Request['method'],
  attempt: number,
  chance: number,
): Verdict {
  const { status } = reply
  if (status >= 200 && status < 300) return 'accept'
  const notDone = status === 429 || status === 503
  const harmless = method === 'GET' && (status === 500 || status === 502 || status === 504)
  if (notDone && messages.some(({ id }) => id === 'SessionLimitExceeded')) return 'fail'
  if (notDone || harmless) return { againAfterMs: retryAfter(reply) ?? waitBefore(attempt, chance) }
  if (status >= 400 && messages.some(({ id }) => later.has(id)))
    return { againAfterMs: retryAfter(reply) ?? LATER_WAIT }
  return 'fail'
}

/** RFC 9110 §10.2.3, as seconds; BMCs' clocks are too often wrong for its other form, a date. */
export function retryAfter(reply: Pick<Reply, 'headers'>): number | undefined {
  const text = header(reply, 'retry-after')
  if (text === undefined || !/^\d{1,6}$/.test(text.trim())) return undefined
  return Math.min(Number(text) * 1000, LONGEST_OBEYED)
}
