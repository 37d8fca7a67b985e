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
  roundTrip?: number
  /** The window's last block was sent again, to hear how far the client is. */
  probed: boolean
  /** So many windows more go out in bursts. */
  careful: number
  /** An ACK without progress was taken for a gap at this block; the next such ACK is not, until there is progress. */
  wentBackAt?: number
  because?: string
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
  }
  return transfer.phase === 'oack' ? [transfer, [{ send: 'oack' }]] : window(transfer, now)
}

export function step(transfer: Transfer, event: TransferEvent, now: number): [Transfer, Action[]] {
  if (transfer.phase !== 'oack' && transfer.phase !== 'data') return [transfer, []]
  if (event.kind === 'ack') return acknowledged(transfer, event.block, now)
  if (event.kind === 'timer') return now < transfer.due ? [transfer, []] : again(transfer, now)
  // EDK2 asks for the size alone: it answers the OACK with an error and asks again. That is how it says thank you.
  const probed = transfer.phase === 'oack' && transfer.terms.sizeAsked && isThanks(event.code)
  const because = probed ? undefined : `client sent error ${event.code}: ${event.message}`
  return [{ ...transfer, phase: probed ? 'probed' : 'aborted', because }, []]
}

function acknowledged(transfer: Transfer, wire: number, now: number): [Transfer, Action[]] {
  if (transfer.phase === 'oack') {
    if (wire !== 0) return [transfer, []]
    return window({ ...transfer, phase: 'data', ...progress(transfer, now, true) }, now)
  }
  const ahead = (wire - transfer.acked) & 0xffff
  const block = transfer.acked + ahead
  if (block > transfer.sent) return [transfer, []] // an old one, late
  if (ahead === 0) return gap(transfer, now)
  const whole = block === transfer.windowEnd
  const moved: Transfer = { ...transfer, ...progress(transfer, now, whole), acked: block }
  if (block === transfer.blocks) return [{ ...moved, phase: 'complete' }, []]
  const lost = transfer.sent - block
  const careful = lost > 0 ? CAREFUL_WINDOWS : Math.max(0, transfer.careful - 1)
  return window({ ...moved, careful, repeated: transfer.repeated + lost, sent: block }, now) // go-back-N: RFC 7440 §4
}

/**
 * An ACK that acknowledges nothing new. In lock-step it is never answered: that would be the sorcerer's apprentice (RFC 1123
 * §4.2.3.1). With a window it may mean that the window's first block was lost, and is believed once per window, and only if
 * it comes no sooner than an answer to that window can.
 */
function gap(transfer: Transfer, now: number): [Transfer, Action[]] {
  const { acked, sent, terms, wentBackAt, roundTrip = 0 } = transfer
  if (terms.windowsize === 1 || wentBackAt === acked || now - transfer.sentAt < roundTrip / 2) return [transfer, []]
  const repeated = transfer.repeated + (sent - acked)
  return window({ ...transfer, sent: acked, wentBackAt: acked, careful: CAREFUL_WINDOWS, repeated }, now)
}

function again(transfer: Transfer, now: number): [Transfer, Action[]] {
  if (transfer.sent < transfer.windowEnd) return burst(transfer, now)
  if (transfer.sent - transfer.acked > 1 && !transfer.probed) return probe(transfer, now)
  if (transfer.tries >= MAX_TRIES) {
    const waited = transfer.phase === 'oack' ? 'the OACK' : `block ${transfer.acked + 1} of ${transfer.blocks}`
    return [{ ...transfer, phase: 'timeout', because: `${waited} was sent ${transfer.tries} times without an ACK` }, []]
  }
  const tries = transfer.tries + 1
  const backedOff: Transfer = { ...transfer, tries, due: now + timeout(transfer) * 2 ** (tries - 1) }
  backedOff.due = Math.min(backedOff.due, now + Math.max(MOST_TIMEOUT_MS, transfer.terms.timeoutMs ?? 0))
  if (transfer.phase === 'oack') return [backedOff, [{ send: 'oack' }]]
  const { acked, sent } = transfer
  return [
    { ...backedOff, sentAt: now, burstAt: now, careful: CAREFUL_WINDOWS, repeated: transfer.repeated + (sent - acked) },
    [{ send: 'data', from: acked + 1, to: sent }],
  ]
}

/** The next window behind what is acknowledged. */
function window(transfer: Transfer, now: number): [Transfer, Action[]] {
  const windowEnd = Math.min(transfer.acked + transfer.terms.windowsize, transfer.blocks)
  return burst({ ...transfer, sent: transfer.acked, windowEnd, sentAt: now, probed: false }, now)
}

/** As much of the window as goes out at once; the rest when an answer to it would be here. */
function burst(transfer: Transfer, now: number): [Transfer, Action[]] {
  const { sent, windowEnd, careful, roundTrip = 0 } = transfer
  const to = careful > 0 ? Math.min(sent + BURST, windowEnd) : windowEnd
  const probes = careful > 0 && windowEnd - transfer.acked > 1
  const pause = Math.min(Math.max(roundTrip, 1), LONGEST_PAUSE_MS)
  const due = now + (to < windowEnd ? pause : timeout(transfer, probes ? LEAST_PROBE_MS : undefined))
  return [{ ...transfer, sent: to, burstAt: now, due }, [{ send: 'data', from: sent + 1, to }]]
}

/**
 * The window's last block once more. A client that has them all says so again; one that lacks some names the last before them; and where
 * only that one was lost, the window is done. Any of it costs one block, where the window again would cost them all.
 */
function probe(transfer: Transfer, now: number): [Transfer, Action[]] {
  const { sent, repeated } = transfer
  const next = { ...transfer, probed: true, repeated: repeated + 1, due: now + timeout(transfer) }
  return [next, [{ send: 'data', from: sent, to: sent }]]
}

/**
 * Times are learnt only from what was sent once, as the ACK of a repeated block may be for either (Karn), and only from a window's last
 * burst.
 */
function progress(
  transfer: Transfer,
  now: number,
  whole: boolean,
): Pick<Transfer, 'tries' | 'roundTrip' | 'wentBackAt'> {
  const sample = now - transfer.burstAt
  const before = transfer.roundTrip ?? sample
  const learns = transfer.tries === 1 && !transfer.probed && (whole || transfer.careful === 0)
  return { tries: 1, roundTrip: learns ? before * 0.875 + sample * 0.125 : transfer.roundTrip, wentBackAt: undefined }
}

function timeout({ terms, roundTrip }: Transfer, least = LEAST_TIMEOUT_MS): number {
  if (terms.timeoutMs !== undefined) return terms.timeoutMs
  if (roundTrip === undefined) return FIRST_TIMEOUT_MS
  return Math.min(Math.max(roundTrip * 4, least), FIRST_TIMEOUT_MS)
}

function isThanks(code: number): boolean {
  return code === TftpError.optionRefused || code === TftpError.undefined
}
