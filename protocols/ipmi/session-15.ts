import { getChannelAuthCapabilities, setSessionPrivilege, THIS_CHANNEL } from './commands.ts'
import { privileges, type ResponseOf } from './command.ts'
import {
  CommandFailed,
  IncorrectPassword,
  IpmiError,
  SessionRefused,
  TransportTimeout,
  UnauthorizedName,
  UnauthorizedRole,
} from './error.ts'
import { type Patience, type Peer, subjectOf } from './exchange.ts'
import { LiveSession } from './live-session.ts'
import type { Credentials } from './open-session.ts'
import { randomSessionId } from './random.ts'
import { activateSession, getSessionChallenge } from './session-15-commands.ts'
import { statusCodes } from './status-code.ts'
import { activationWrapping, MD5, md5Wrapping, sessionless } from './wrapping-15.ts'

/** §22.16 and §22.17: these commands' own completion codes. */
const UNKNOWN_NAME: ReadonlySet<number> = new Set([0x81, 0x82])
const FULL: ReadonlySet<number> = new Set([0x81, 0x82, 0x83])
const TOO_HIGH = 0x86
const ACTIVATIONS = 2
const ACTIVATION_SHARE = 0.4

/** One log-in as IPMI 1.5 has it (IPMI 2.0 §13.14): a challenge, the session's activation, its privilege. */
export async function openSession15(peer: Peer, credentials: Credentials, patience: Patience): Promise<LiveSession> {
  const { username, privilege } = credentials
  const level = privileges[privilege]
  const password = Buffer.from(credentials.password)
  const plain = new LiveSession(peer, sessionless)
  const channel = { number: THIS_CHANNEL, extended: false }
  const { types } = await plain.send(getChannelAuthCapabilities, { channel, privilege: level }, patience)
  if (!types.md5) throw new IpmiError(subjectOf(peer, getChannelAuthCapabilities.name), NO_MD5)

  const active = await activate(peer, plain, credentials, patience)
  const session = new LiveSession(peer, md5Wrapping(password, active.sessionId, active.first))
  await session.send(setSessionPrivilege, { level }, patience).catch(async (error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error
    await session.close()
    throw new UnauthorizedRole(subjectOf(peer, setSessionPrivilege.name), username, privilege)
  })
  return session
}

/** A BMC drops what is wrongly signed in silence (§22.17), and an activation whose answer was lost can't be repeated: so a second
 * challenge is asked for, and silence after that too is the password's. */
async function activate(
  peer: Peer,
  plain: LiveSession,
  { username, password, privilege }: Credentials,
  patience: Patience,
): Promise<ResponseOf<typeof activateSession>> {
  const subject = subjectOf(peer, activateSession.name)
  for (let attempt = 1; ; attempt += 1) {
    const { temporaryId, challenge } = await challenged(peer, plain, username, patience)
    const now = peer.clock.now()
    const share = { ...patience, deadline: now + (patience.deadline - now) * ACTIVATION_SHARE }
    const activating = new LiveSession(peer, activationWrapping(Buffer.from(password), temporaryId))
    const first = randomSessionId(peer.random)
    try {
      const request = { authType: MD5, privilege: privileges[privilege], challenge, first }
      return await activating.send(activateSession, request, share)
    } catch (error) {
      if (error instanceof TransportTimeout) {
        if (attempt < ACTIVATIONS) continue
        throw new IncorrectPassword(subject, username)
      }
      if (!(error instanceof CommandFailed)) throw error
      if (error.completionCode === TOO_HIGH) throw new UnauthorizedRole(subject, username, privilege)
      throw FULL.has(error.completionCode) ? new SessionRefused(subject, statusCodes.insufficientResources) : error
    }
  }
}

function challenged(
  peer: Peer,
  plain: LiveSession,
  username: string,
  patience: Patience,
): Promise<ResponseOf<typeof getSessionChallenge>> {
  const request = { authType: MD5, username: Buffer.from(username) }
  return plain.send(getSessionChallenge, request, patience).catch((error: unknown) => {
    if (!(error instanceof CommandFailed) || !UNKNOWN_NAME.has(error.completionCode)) throw error
    throw new UnauthorizedName(subjectOf(peer, getSessionChallenge.name), username)
  })
}

const NO_MD5 =
  'the BMC offers no MD5 log-in of IPMI 1.5 to this privilege, and nothing less is spoken here; enable it, or use IPMI 2.0'
