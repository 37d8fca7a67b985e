import { WireError } from '@bloomery/wire/error.ts'
import type { Clock } from './clock.ts'
import { type Subject, TransportError, TransportTimeout } from './error.ts'
import type { Packet } from './packet.ts'
import { type Random, randomFraction } from './random.ts'
import type { Endpoint, IpmiSocket } from './socket.ts'

/** A BMC, and what is needed to talk to it. `host` is the name that its owner gave; `address` what it resolved to. */
export interface Peer extends Endpoint {
  host: string
  socket: IpmiSocket
  clock: Clock
  random: Random
}

/** How long the whole operation may take, for the error to say; `deadline` is when this part of it must be over. */
export interface Patience {
  deadline: number
  seconds: number
}

export interface Question<Answer> {
  operation: string
  sessionId: number
  /** Made anew for each transmission: session sequence numbers never repeat. */
  make(): Uint8Array
  /** Undefined or a WireError: not the answer, go on listening. */
  match(packet: Packet, bytes: Uint8Array): Answer | undefined
}

const FIRST_WAIT = 500
const LONGEST_WAIT = 4000

/** Asks until answered. Waits double and are jittered, so that a rack full of BMCs isn't asked in step. */
export function exchange<Answer>(peer: Peer, patience: Patience, question: Question<Answer>): Promise<Answer> {
  const { clock, socket } = peer
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  let wait = FIRST_WAIT
  let unsent: unknown
  let cancelTimer = (): void => undefined

  const unlisten = socket.listen(peer, question.sessionId, (packet, bytes) => {
    const answer = unlessMalformed(() => question.match(packet, bytes))
    if (answer !== undefined) resolve(answer)
  })

  const transmit = (): void => {
    const left = patience.deadline - clock.now()
    if (left <= 0) return reject(silence(peer, patience, question.operation, unsent))
    socket.send(peer, question.make()).then(
      () => (unsent = undefined),
      (error: unknown) => {
        unsent = error
        if (!isPassing(error)) reject(new TransportError(subjectOf(peer, question.operation), error))
      },
    )
    cancelTimer = clock.after(Math.min(left, wait * (0.75 + randomFraction(peer.random) / 2)), transmit)
    wait = Math.min(wait * 2, LONGEST_WAIT)
  }

  transmit()
  return promise.finally(() => {
    unlisten()
    cancelTimer()
  })
}

export function subjectOf(peer: Peer, operation: string): Subject {
  return { host: peer.host, port: peer.port, operation }
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

function silence(peer: Peer, patience: Patience, operation: string, unsent: unknown): Error {
  const subject = subjectOf(peer, operation)
  return unsent === undefined ? new TransportTimeout(subject, patience.seconds) : new TransportError(subject, unsent)
}

export function unlessMalformed<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** A cable that is out for a second is no reason to give up before the deadline. */
function isPassing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return (
    typeof code === 'string' && ['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'ENOBUFS', 'ECONNREFUSED'].includes(code)
  )
}
