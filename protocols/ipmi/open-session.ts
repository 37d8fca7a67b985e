import { WireError } from '@bloomery/wire/error.ts'
import { cipherSuites, type CipherSuiteId } from './cipher-suite.ts'
import { type Privilege, privileges } from './command.ts'
import { setSessionPrivilege } from './commands.ts'
import {
  CommandFailed,
  IncorrectBmcKey,
  IncorrectPassword,
  MalformedAnswer,
  SessionRefused,
  type Subject,
  UnauthorizedName,
  UnauthorizedRole,
} from './error.ts'
import { exchange, type Patience, type Peer, subjectOf } from './exchange.ts'
import { handshake, type HandshakeResult, type HandshakeStep } from './handshake.ts'
import { LiveSession } from './live-session.ts'
import { encodePacket, plainPacket } from './packet.ts'
import { randomSessionId } from './random.ts'
import { statusCodes } from './status-code.ts'
import { rmcpPlusWrapping } from './wrapping.ts'

export interface Credentials {
  username: string
  password: string
  /** The BMC's own key, where one is set. */
  kg?: Uint8Array
  privilege: Privilege
  /** Whom the BMC finds: who has that name, or who has that name and just that privilege, where several have the same name. */
  lookup?: 'name' | 'name and privilege' | undefined
}

interface Whose {
  tag: number
  consoleId: number
}

/** One log-in with one cipher suite: the handshake, then the privilege that was asked for. */
export async function openSession(
  peer: Peer,
  credentials: Credentials,
  suite: CipherSuiteId,
  patience: Patience,
): Promise<LiveSession> {
  const consoleId = randomSessionId(peer.random)
  const tag = consoleId & 0xff
  const privilege = privileges[credentials.privilege]
  const ladder = handshake({
    suite: cipherSuites[suite],
    username: Buffer.from(credentials.username),
    password: Buffer.from(credentials.password),
    kg: credentials.kg,
    privilege,
    byPrivilege: credentials.lookup === 'name and privilege',
    tag,
    consoleId,
    consoleRandom: peer.random(16),
  })
  const { result, operation } = await climb(peer, ladder, { tag, consoleId }, patience)
  if (result.result !== 'open') throw refusalError(subjectOf(peer, operation), credentials, result)
  const session = new LiveSession(peer, rmcpPlusWrapping(result.keys, { bmcId: result.bmcId, consoleId }, peer.random))
  // §6.8: a session starts at user level, whatever the handshake asked for.
  await session.send(setSessionPrivilege, { level: privilege }, patience).catch(async (error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error
    await session.close()
    throw new UnauthorizedRole(subjectOf(peer, setSessionPrivilege.name), credentials.username, credentials.privilege)
  })
  return session
}

async function climb(
  peer: Peer,
  ladder: ReturnType<typeof handshake>,
  whose: Whose,
  patience: Patience,
): Promise<{ result: HandshakeResult; operation: string }> {
  let turn = ladder.next()
  let operation = 'Open Session'
  while (!turn.done) {
    if (turn.value.answer !== undefined) operation = turn.value.operation
    const answer = await say(peer, turn.value, whose, patience)
    try {
      turn = ladder.next(answer)
    } catch (error) {
      throw error instanceof WireError ? new MalformedAnswer(subjectOf(peer, operation), error) : error
    }
  }
  return { result: turn.value, operation }
}

async function say(peer: Peer, step: HandshakeStep, whose: Whose, patience: Patience): Promise<Uint8Array> {
  const packet = encodePacket(plainPacket(step.payloadType, step.payload))
  if (step.answer === undefined) {
    // A courtesy to the BMC; that it could not be sent changes nothing for us.
    await peer.socket.send(peer, packet).catch(() => undefined)
    return new Uint8Array(0)
  }
  return exchange(peer, patience, {
    operation: step.operation,
    sessionId: 0,
    make: () => packet,
    match: (reply) =>
      reply.format === '2.0' && reply.payloadType === step.answer && isFor(whose, reply.payload)
        ? reply.payload
        : undefined,
  })
}

/** All answers of a BMC begin with tag and status and have the console id at byte 4; short refusals leave it off. */
function isFor({ tag, consoleId }: Whose, payload: Uint8Array): boolean {
  if (payload[0] !== tag) return false
  if (payload.length < 8) return payload.length >= 2 && payload[1] !== statusCodes.ok
  return new DataView(payload.buffer, payload.byteOffset).getUint32(4, true) === consoleId
}

function refusalError(
  subject: Subject,
  { username, privilege }: Credentials,
  refusal: Exclude<HandshakeResult, { result: 'open' }>,
): Error {
  if (refusal.result === 'wrong password') return new IncorrectPassword(subject, username)
  if (refusal.result === 'wrong BMC key') return new IncorrectBmcKey(subject)
  switch (refusal.status) {
    case statusCodes.unauthorizedName:
      return new UnauthorizedName(subject, username)
    case statusCodes.invalidIntegrityCheckValue:
      return new IncorrectPassword(subject, username)
    case statusCodes.invalidRole:
    case statusCodes.unauthorizedRole:
      return new UnauthorizedRole(subject, username, privilege)
    default:
      return new SessionRefused(subject, refusal.status)
  }
}
