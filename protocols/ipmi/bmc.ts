import { WireError } from '@bloomery/wire/error.ts'
import { runCommand } from './bmc-commands.ts'
import { answerHandshake, type HandshakeHost } from './bmc-handshake.ts'
import { commandHost } from './bmc-host.ts'
import type { BmcOptions } from './bmc-options.ts'
import { answerActivation } from './bmc-session-15.ts'
import type { ActiveSession } from './bmc-sessions.ts'
import { systemClock } from './clock.ts'
import { completionCodes } from './completion-code.ts'
import { sameCode } from './crypto.ts'
import { decodeMessage, encodeMessage, type Message } from './message.ts'
import {
  decodePacket,
  encodePacket,
  type Packet,
  type Packet15,
  type Packet20,
  payloadTypes,
  plainPacket,
} from './packet.ts'
import { systemRandom } from './random.ts'

/** A BMC without a socket: a datagram in, the datagram that answers it out. */
export interface Bmc {
  /** Undefined: nothing is to be sent. Whatever the bytes, it never throws. `send` is for what comes later unasked: SOL. */
  receive(this: void, bytes: Uint8Array, send?: (bytes: Uint8Array) => void): Promise<Uint8Array | undefined>
  sessions(this: void): { pending: number; active: number }
  /** Datagrams that were malformed, replayed, forged or too many. */
  dropped(this: void): number
  /** Nothing that it has begun goes on. */
  stop(this: void): void
}

/** IPMI 2.0 §6.12.14: within this time, the same request with the same number is a repetition. */
const REPEAT_MS = 5000
/** Requests of one session that may wait for the one that is being done. */
const QUEUE = 4

export function createBmc(options: BmcOptions): Bmc {
  const { onError, clock = systemClock, random = systemRandom } = options
  const host = commandHost(options)
  const { sessions, users, channelAccess, suites, guid, logins15, sol } = host
  const logins: HandshakeHost = { sessions, users, channelAccess, suites, guid, kg: options.kg, clock, random }
  let dropped = 0

  const respond = async (message: Message, session?: ActiveSession): Promise<Uint8Array> => {
    const { netFn, command, sequence } = message
    // It has one part only.
    const data = message.lun
      ? Uint8Array.of(completionCodes.invalidForLun)
      : await runCommand(netFn, command, message.data, host, session)
    return encodeMessage({ netFn: netFn + 1, command, sequence, to: message.from, from: message.to, data })
  }

  const inSession = async (
    packet: Packet15 | Packet20,
    bytes: Uint8Array,
    send: ((bytes: Uint8Array) => void) | undefined,
  ): Promise<Uint8Array | undefined> => {
    const session = sessions.active(packet.sessionId)
    if (!session) throw new WireError('no such session')
    const characters = session.wrapping.payloads?.unwrap(payloadTypes.sol, packet, bytes)
    if (characters) {
      Object.assign(session, { lastHeard: clock.now(), send })
      sol?.receive(session, characters)
      return undefined
    }
    const request = session.wrapping.unwrap(packet, bytes)
    if (!request) throw new WireError('another protocol or payload than this session has')
    if (session.queued >= QUEUE) throw new WireError('too many requests at once')
    const message = decodeRequest(request)
    Object.assign(session, { lastHeard: clock.now(), send })
    session.queued += 1
    const answer = session.tail.then(() => once(session, request, () => respond(message, session)))
    session.tail = answer.catch(() => undefined).then(() => (session.queued -= 1))
    return session.wrapping.wrap(await answer)
  }

  /** A console that lost the answer asks again: it gets that answer, and the machine isn't power cycled twice. */
  const once = async (
    session: ActiveSession,
    request: Uint8Array,
    work: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> => {
    const { last } = session
    if (last && clock.now() - last.at < REPEAT_MS && sameCode(last.request, request)) return last.reply
    const reply = await work()
    session.last = { request, reply, at: clock.now() }
    return reply
  }

  const answer = async (
    packet: Packet,
    bytes: Uint8Array,
    send?: (bytes: Uint8Array) => void,
  ): Promise<Uint8Array | undefined> => {
    if (packet.format === 'asf') {
      return packet.type === 'ping'
        ? encodePacket({ format: 'asf', type: 'pong', tag: packet.tag, ipmi: true })
        : undefined
    }
    if (packet.format === '1.5') {
      if (packet.sessionId !== 0)
        return sessions.active(packet.sessionId)
          ? inSession(packet, bytes, send)
          : answerActivation(logins15, packet, bytes)
      if (packet.authType !== 0) throw new WireError('a protected packet outside any session')
      return encodePacket({ ...packet, payload: await respond(decodeRequest(packet.payload)) })
    }
    if (packet.sessionId !== 0) return inSession(packet, bytes, send)
    if (packet.encrypted || packet.authenticated) throw new WireError('a protected packet outside any session')
    if (packet.payloadType !== payloadTypes.message) return answerHandshake(logins, packet)
    return encodePacket(plainPacket(payloadTypes.message, await respond(decodeRequest(packet.payload))))
  }

  return {
    sessions: () => sessions.count(),
    dropped: () => dropped,
    stop() {
      host.watchdog.stop()
      sol?.close()
    },
    async receive(bytes, send) {
      try {
        return await answer(decodePacket(bytes), bytes, send)
      } catch (error) {
        if (error instanceof WireError) dropped += 1
        else onError(error)
        return undefined
      }
    },
  }
}

/** Responses have odd network functions; a BMC that answered one could be made to talk to itself. */
function decodeRequest(bytes: Uint8Array): Message {
  const message = decodeMessage(bytes)
  if (message.netFn % 2 !== 0) throw new WireError('a response where a request is due')
  return message
}
