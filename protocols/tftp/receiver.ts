import { whole } from './negotiate.ts'
import type { TftpPacket } from './packet.ts'

const MAX_TRIES = 6

export interface Receiver {
  phase: 'requested' | 'data' | 'complete' | 'failed'
  readonly asked: { blksize: number; windowsize: number }
  blksize: number
  windowsize: number
  size?: number
  /** Blocks received in order. */
  received: number
  /** The last block that was acknowledged: an ACK is due a window later. */
  acked: number
  tries: number
  gapAt?: number
  because?: string
}

/** `ack` is to be sent; `data` is the next piece of the file; `again` is the request once more. */
export type Reaction = { ack: number } | { data: Uint8Array } | { again: true }

export function request(asked: { blksize: number; windowsize: number }): Receiver {
  // Until an OACK comes, what holds is TFTP without options.
  return { phase: 'requested', asked, blksize: 512, windowsize: 1, received: 0, acked: 0, tries: 1 }
}

export function receive(state: Receiver, packet: TftpPacket): [Receiver, Reaction[]] {
  if (state.phase !== 'requested' && state.phase !== 'data') return [state, []]
  if (packet.op === 'error')
    return [{ ...state, phase: 'failed', because: `server sent error ${packet.code}: ${packet.message}` }, []]
  if (packet.op === 'oack') return agreed(state, packet.options)
  if (packet.op !== 'data') return [state, []]
  if (packet.data.length > state.blksize)
    return [{ ...state, phase: 'failed', because: `a block is over the ${state.blksize} bytes agreed` }, []]
  const ahead = (packet.block - state.received) & 0xffff
  if (ahead !== 1) return outOfOrder(state, ahead)

  const received = state.received + 1
  const last = packet.data.length < state.blksize
  const next: Receiver = { ...state, phase: last ? 'complete' : 'data', received, tries: 1, gapAt: undefined }
  if (!last && received - state.acked < state.windowsize) return [next, [{ data: packet.data }]]
  return [{ ...next, acked: received }, [{ data: packet.data }, { ack: received & 0xffff }]]
}

/** Nothing came for a while: the last word is said again. */
export function waited(state: Receiver): [Receiver, Reaction[]] {
  if (state.tries >= MAX_TRIES)
    return [{ ...state, phase: 'failed', because: `nothing came behind block ${state.received}` }, []]
  const next = { ...state, tries: state.tries + 1, gapAt: undefined }
  if (state.phase === 'requested') return [next, [{ again: true }]]
  return [{ ...next, acked: state.received }, [{ ack: state.received & 0xffff }]]
}

function agreed(state: Receiver, options: ReadonlyMap<string, string>): [Receiver, Reaction[]] {
  if (state.received > 0) return [state, []]
  const blksize = whole(options.get('blksize'), 8, state.asked.blksize) ?? 512
  const windowsize = whole(options.get('windowsize'), 1, state.asked.windowsize) ?? 1
  const size = whole(options.get('tsize'), 0, Number.MAX_SAFE_INTEGER)
  return [{ ...state, phase: 'data', blksize, windowsize, size }, [{ ack: 0 }]]
}

/** RFC 7440 §4: at a gap, the last block in order is acknowledged, once. That block again means that its ACK was lost. */
function outOfOrder(state: Receiver, ahead: number): [Receiver, Reaction[]] {
  const acknowledge: Reaction[] = [{ ack: state.received & 0xffff }]
  if (ahead === 0 && state.received > 0) return [{ ...state, acked: state.received }, acknowledge]
  if (ahead === 0 || ahead > 0x8000 || state.phase === 'requested' || state.gapAt === state.received) return [state, []]
  return [{ ...state, gapAt: state.received, acked: state.received }, acknowledge]
}
