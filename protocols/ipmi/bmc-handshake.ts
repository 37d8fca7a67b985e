import type { ChannelAccess } from './bmc-channel.ts'
import type { BmcSessions } from './bmc-sessions.ts'
import type { Account, Users } from './bmc-users.ts'
import type { CipherSuite } from './cipher-suite.ts'
import type { Clock } from './clock.ts'
import { privileges } from './command.ts'
import { deriveKeys, type Exchange, rakp2Code, rakp3Code, rakp4Code, sameCode, sessionIntegrityKey } from './crypto.ts'
import { encodePacket, type Packet20, payloadTypes, plainPacket } from './packet.ts'
import {
  NAME_ONLY,
  decodeOpenSessionRequest,
  decodeRakp1,
  decodeRakp3,
  encodeOpenSessionResponse,
  encodeRakp2,
  encodeRakp4,
  type Rakp1,
} from './rakp.ts'
import type { Random } from './random.ts'
import { statusCodes } from './status-code.ts'
import { rmcpPlusWrapping } from './wrapping.ts'

export interface HandshakeHost {
  sessions: BmcSessions
  users: Users
  channelAccess: ChannelAccess
  suites: readonly CipherSuite[]
  guid: Uint8Array
  kg: Uint8Array | undefined
  clock: Clock
  random: Random
}

/** The BMC's side of IPMI 2.0 §13.17–13.23: one datagram in, at most one out. Undefined: it was none of these, or needs no answer. */
export function answerHandshake(host: HandshakeHost, packet: Packet20): Uint8Array | undefined {
  switch (packet.payloadType) {
    case payloadTypes.openSessionRequest:
      return wrap(payloadTypes.openSessionResponse, openSession(host, packet.payload))
    case payloadTypes.rakp1:
      return wrap(payloadTypes.rakp2, rakp2(host, packet.payload))
    case payloadTypes.rakp3:
      return wrap(payloadTypes.rakp4, rakp4(host, packet.payload))
    default:
      return undefined
  }
}

function openSession({ sessions, suites }: HandshakeHost, payload: Uint8Array): Uint8Array {
  const { tag, privilege, consoleId, algorithms } = decodeOpenSessionRequest(payload)
  const refuse = (status: number): Uint8Array => encodeOpenSessionResponse({ tag, status, consoleId })
  const { authentication, integrity, confidentiality } = algorithms
  const sameAuthentication = suites.filter((suite) => suite.authentication === authentication)
  if (sameAuthentication.length === 0) return refuse(statusCodes.invalidAuthentication)
  const suite = sameAuthentication.find((s) => s.integrity === integrity && s.confidentiality === confidentiality)
  if (!suite) return refuse(statusCodes.noCipherSuiteMatch)
  const session = sessions.open(consoleId, suite)
  if (!session) return refuse(statusCodes.insufficientResources)
  const granted = privilege === 0 ? privileges.administrator : privilege
  return encodeOpenSessionResponse({ tag, status: 0, privilege: granted, consoleId, bmcId: session.id, algorithms })
}

function rakp2(
  { sessions, users, channelAccess, guid, clock, random }: HandshakeHost,
  payload: Uint8Array,
): Uint8Array {
  const request = decodeRakp1(payload)
  const session = sessions.pending(request.bmcId)
  // Nothing is known of that console but its tag.
  if (!session) return encodeRakp2({ tag: request.tag, status: statusCodes.inactiveSessionId, consoleId: 0 })
  if (session.rakp1 && sameCode(session.rakp1.request, payload)) return session.rakp1.reply
  const user = users.find(request.username, request.role & NAME_ONLY ? undefined : roleOf(request))
  const status = roleStatus(request, user, channelAccess.limit)
  if (status !== statusCodes.ok || !user) {
    sessions.close(session.id)
    return encodeRakp2({ tag: request.tag, status, consoleId: session.consoleId })
  }
  const exchange: Exchange = { ...request, consoleId: session.consoleId, bmcRandom: random(16), bmcGuid: guid }
  const code = rakp2Code(session.suite, user.password, exchange)
  const { consoleId, bmcRandom, bmcGuid } = exchange
  const reply = encodeRakp2({ tag: request.tag, status: 0, consoleId, bmcRandom, bmcGuid, code })
  Object.assign(session, { user, exchange, rakp1: { request: payload, reply, at: clock.now() } })
  return reply
}

function rakp4({ sessions, kg, clock, random }: HandshakeHost, payload: Uint8Array): Uint8Array | undefined {
  const request = decodeRakp3(payload)
  const repeated = sessions.active(request.bmcId)?.rakp3
  if (repeated) return sameCode(repeated.request, payload) ? repeated.reply : undefined
  const session = sessions.pending(request.bmcId)
  if (!session?.user || !session.exchange) return undefined
  const { tag, status } = request
  const { suite, exchange, user, consoleId } = session
  const { password } = user
  const refuse = (reason: number): Uint8Array => {
    sessions.close(session.id)
    return encodeRakp4({ tag, status: reason, consoleId, code: new Uint8Array(0) })
  }
  // The console found our code wrong and gives up; it expects no answer.
  if (status !== 0) return void sessions.close(session.id)
  if (!sameCode(request.code, rakp3Code(suite, password, exchange)))
    return refuse(statusCodes.invalidIntegrityCheckValue)
  const sik = sessionIntegrityKey(suite, kg ?? password, exchange)
  const reply = encodeRakp4({ tag, status: 0, consoleId, code: rakp4Code(suite, sik, exchange) })
  const login = {
    user,
    ceiling: roleOf(exchange),
    // §6.8: user level at first, or callback if that is all there is.
    privilege: Math.min(roleOf(exchange), privileges.user),
    wrapping: rmcpPlusWrapping(deriveKeys(suite, sik, password), { bmcId: consoleId, consoleId: session.id }, random),
    rakp3: { request: payload, reply, at: clock.now() },
  }
  return sessions.activate(session, login) ? reply : refuse(statusCodes.insufficientResources)
}

function roleStatus(request: Rakp1, user: Account | undefined, limit: number): number {
  const role = roleOf(request)
  if (!user) return statusCodes.unauthorizedName
  if (role < privileges.callback || role > privileges.administrator) return statusCodes.invalidRole
  return role > Math.min(user.privilege, limit) ? statusCodes.unauthorizedRole : statusCodes.ok
}

function roleOf({ role }: { role: number }): number {
  return role & 0x0f
}

function wrap(payloadType: number, payload: Uint8Array | undefined): Uint8Array | undefined {
  return payload && encodePacket(plainPacket(payloadType, payload))
}
