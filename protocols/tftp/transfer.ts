import { TftpError } from './packet.ts'
import type { Terms } from './negotiate.ts'

const FIRST_TIMEOUT_MS = 1_000
const LEAST_TIMEOUT_MS = 200
/** Where the way has lost something, and asking costs one block, it is asked sooner. */
const LEAST_PROBE_MS = 50
const MOST_TIMEOUT_MS = 8_000
/** Where a way loses, a window goes out in bursts, so that little of it was in vain when a gap is heard of. */
const BURST = 16
const CAREFUL_WINDOWS = 64
const LONGEST_PAUSE_MS = 25
/** In a row without progress: about half a minute. */
const MAX_TRIES = 6

/** Blocks are counted from 1 without end; only on the wire are they cut to 16 bits. */
export interface Transfer {
  phase: 'oack' | 'data' | 'complete' | 'probed' | 'aborted' | 'timeout'
  readonly terms: Terms
  readonly blocks: number
  acked: number
  sent: number
  /** Up to where the window goes that is being sent. */
  windowEnd: number
  /** When its first burst left, and its last. */
  sentAt: number
  burstAt: number
  due: number
  tries: number
  /** Blocks sent again, for the log. */
  repeated: number
  /** The smoothed time from a window to its ACK. */
  roundTrip: number | undefined
  /** The window's last block was sent again, to hear how far the client is. */
  probed: boolean
  /** So many windows more go out in bursts. */
  careful: number
  /** An ACK without progress was taken for a gap at this block; the next such ACK is not, until there is progress. */
  wentBackAt: number | undefined
  because: string | undefined
}

export type Action = { send: 'oack' } | { send: 'data'; from: number; to: number }

export type TransferEvent =
  | { kind: 'ack'; block: number }
  | { kind: 'error'; code: number; message: string }
  | { kind: 'timer' }

export function begin(size: number, terms: Terms, now: number): [Transfer, Action[]] {
  const transfer: Transfer = {
    phase: terms.agreed.size > 0 ? 'oack' : 'data',
    terms,
    blocks: Math.floor(size / terms.blksize) + 1, // the last is short, if need be empty: RFC 1350 §6
    acked: 0,
    sent: 0,
    windowEnd: 0,
    sentAt: now,
    burstAt: now,
    careful: 0,
    probed: false,
    due: now + (terms.timeoutMs ?? FIRST_TIMEOUT_MS),
    tries: 1,
    repeated: 0,
    roundTrip: undefined,
    wentBackAt: undefined,
    because: undefined,
  }
  return [transfer, transfer.phase === 'oack' ? [{ send: 'oack' }] : window(transfer, now)]
}

/** What is given stays as it is; below, `next` is a copy of it that changes. */
export function step(transfer: Transfer, event: TransferEvent, now: number): [Transfer, Action[]] {
  if (transfer.phase !== 'oack' && transfer.phase !== 'data') return [transfer, []]
  const next = { ...transfer }
  if (event.kind === 'ack') return [next, acknowledged(next, event.block, now)]
  if (event.kind === 'timer') return [next, now < next.due ? [] : again(next, now)]
  // EDK2 asks for the size alone: it answers the OACK with an error and asks again. That is how it says thank you.
  const probed = next.phase === 'oack' && next.terms.sizeAsked && isThanks(event.code)
  next.phase = probed ? 'probed' : 'aborted'
  next.because = probed ? undefined : `client sent error ${event.code}: ${event.message}`
  return [next, []]
}

function acknowledged(next: Transfer, wire: number, now: number): Action[] {
  if (next.phase === 'oack') {
    if (wire !== 0) return []
    next.phase = 'data'
    progress(next, now, true)
    return window(next, now)
  }
  const ahead = (wire - next.acked) & 0xffff
  const block = next.acked + ahead
  if (block > next.sent) return [] // an old one, late
  if (ahead === 0) return gap(next, now)
  progress(next, now, block === next.windowEnd)
  next.acked = block
  if (block === next.blocks) {
    next.phase = 'complete'
    return []
  }
  const lost = next.sent - block // go-back-N: RFC 7440 §4
  next.careful = lost > 0 ? CAREFUL_WINDOWS : Math.max(0, next.careful - 1)
  next.repeated += lost
  return window(next, now)
}

/**
 * An ACK that acknowledges nothing new. In lock-step it is never answered: that would be the sorcerer's apprentice (RFC 1123
 * §4.2.3.1). With a window it may mean that the window's first block was lost, and is believed once per window, and only if
 * it comes no sooner than an answer to that window can.
 */
function gap(next: Transfer, now: number): Action[] {
  const { acked, sent, terms, wentBackAt, roundTrip = 0 } = next
  if (terms.windowsize === 1 || wentBackAt === acked || now - next.sentAt < roundTrip / 2) return []
  next.wentBackAt = acked
  next.careful = CAREFUL_WINDOWS
  next.repeated += sent - acked
  return window(next, now)
}

function again(next: Transfer, now: number): Action[] {
  const { acked, sent, terms } = next
  if (sent < next.windowEnd) return burst(next, now)
  if (sent - acked > 1 && !next.probed) return probe(next, now)
  if (next.tries >= MAX_TRIES) {
    const waited = next.phase === 'oack' ? 'the OACK' : `block ${acked + 1} of ${next.blocks}`
    next.because = `${waited} was sent ${next.tries} times without an ACK`
    next.phase = 'timeout'
    return []
  }
  next.due = now + Math.min(timeout(next) * 2 ** next.tries, Math.max(MOST_TIMEOUT_MS, terms.timeoutMs ?? 0))
  next.tries += 1
  if (next.phase === 'oack') return [{ send: 'oack' }]
  next.sentAt = now
  next.burstAt = now
  next.careful = CAREFUL_WINDOWS
  next.repeated += sent - acked
  return [{ send: 'data', from: acked + 1, to: sent }]
}

/** The next window behind what is acknowledged. */
function window(next: Transfer, now: number): Action[] {
  next.sent = next.acked
  next.windowEnd = Math.min(next.acked + next.terms.windowsize, next.blocks)
  next.sentAt = now
  next.probed = false
  return burst(next, now)
}

/** As much of the window as goes out at once; the rest when an answer to it would be here. */
function burst(next: Transfer, now: number): Action[] {
  const { sent, windowEnd, careful, roundTrip = 0 } = next
  const to = careful > 0 ? Math.min(sent + BURST, windowEnd) : windowEnd
  const probes = careful > 0 && windowEnd - next.acked > 1
  const pause = Math.min(Math.max(roundTrip, 1), LONGEST_PAUSE_MS)
  next.due = now + (to < windowEnd ? pause : timeout(next, probes ? LEAST_PROBE_MS : undefined))
  next.sent = to
  next.burstAt = now
  return [{ send: 'data', from: sent + 1, to }]
}

/**
 * The window's last block once more. A client that has them all says so again; one that lacks some names the last before them; and where
 * only that one was lost, the window is done. Any of it costs one block, where the window again would cost them all.
 */
function probe(next: Transfer, now: number): Action[] {
  next.probed = true
  next.repeated += 1
  next.due = now + timeout(next)
  return [{ send: 'data', from: next.sent, to: next.sent }]
}

/**
 * Times are learnt only from what was sent once, as the ACK of a repeated block may be for either (Karn), and only from a window's last
 * burst.
 */
function progress(next: Transfer, now: number, whole: boolean): void {
  const sample = now - next.burstAt
  const learns = next.tries === 1 && !next.probed && (whole || next.careful === 0)
  if (learns) next.roundTrip = (next.roundTrip ?? sample) * 0.875 + sample * 0.125
  next.tries = 1
  next.wentBackAt = undefined
}

function timeout({ terms, roundTrip }: Transfer, least = LEAST_TIMEOUT_MS): number {
  if (terms.timeoutMs !== undefined) return terms.timeoutMs
  if (roundTrip === undefined) return FIRST_TIMEOUT_MS
  return Math.min(Math.max(roundTrip * 4, least), FIRST_TIMEOUT_MS)
}

function isThanks(code: number): boolean {
  return code === TftpError.optionRefused || code === TftpError.undefined
}
