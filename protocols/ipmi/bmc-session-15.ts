import { WireError } from '@bloomery/wire/error.ts'
import { Declined, type SessionLimits } from './bmc-options.ts'
import { type Row, row, runRow } from './bmc-row.ts'
import type { BmcSessions } from './bmc-sessions.ts'
import type { ChannelAccess } from './bmc-channel.ts'
import type { Account, Users } from './bmc-users.ts'
import type { Clock } from './clock.ts'
import { privileges } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { sameCode } from './crypto.ts'
import { BMC_ADDRESS, decodeMessage, encodeMessage } from './message.ts'
import type { Packet15 } from './packet.ts'
import { type Random, randomSessionId } from './random.ts'
import { activateSession, getSessionChallenge } from './session-15-commands.ts'
import { activationWrapping, MAX_PASSWORD_15, MD5, md5Wrapping } from './wrapping-15.ts'

/** IPMI 2.0 §22.16, §22.17: these commands' own completion codes. */
const NO_SUCH_USER = 0x81
const NO_SLOT = 0x81
const PRIVILEGE_TOO_HIGH = 0x86

interface Challenge {
  user: Account
  challenge: Uint8Array
  since: number
}

/** Log-ins of IPMI 1.5 that are under way, by their temporary session id: bounded, the oldest makes room. */
export class Challenges {
  readonly #open = new Map<number, Challenge>()
  readonly #limits: SessionLimits
  readonly #clock: Clock
  readonly #random: Random

  constructor(limits: SessionLimits, clock: Clock, random: Random) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
  }

  pose(user: Account): { temporaryId: number; challenge: Uint8Array } {
    for (const [id, { since }] of this.#open) {
      const old = this.#clock.now() - since > this.#limits.pendingMs
      if (old || this.#open.size >= this.#limits.pending) this.#open.delete(id)
    }
    const temporaryId = randomSessionId(this.#random)
    const challenge = this.#random(16)
    this.#open.set(temporaryId, { user, challenge, since: this.#clock.now() })
    return { temporaryId, challenge }
  }

  /** Each is good once. */
  take(id: number): Challenge | undefined {
    const found = this.#open.get(id)
    this.#open.delete(id)
    return found && this.#clock.now() - found.since <= this.#limits.pendingMs ? found : undefined
  }
}

export interface LoginHost15 {
  /** Undefined: this BMC doesn't speak IPMI 1.5. */
  challenges: Challenges | undefined
  users: Users
  channelAccess: ChannelAccess
  sessions: BmcSessions
  random: Random
}

export const challengeRow: [string, Row] = row(getSessionChallenge, async (request, { logins15 }) => {
  const { challenges, users } = logins15
  if (!challenges) return new Declined(completionCodes.invalidCommand)
  if (request.authType !== MD5) return new Declined(completionCodes.invalidData)
  const end = request.username.indexOf(0)
  const name = Buffer.from(request.username.subarray(0, end === -1 ? undefined : end))
  const user = users.find(name)
  // IPMI 1.5 has no room for a longer password.
  if (!user || user.size > MAX_PASSWORD_15) return new Declined(NO_SUCH_USER)
  return challenges.pose(user)
})

/** The second half of a log-in (§22.17): a packet under a temporary session id, signed with the password. */
export async function answerActivation(host: LoginHost15, packet: Packet15, bytes: Uint8Array): Promise<Uint8Array> {
  const { sessions, random } = host
  const id = packet.sessionId
  const posed = host.challenges?.take(id)
  if (!posed) throw new WireError('no such session')
  const { user } = posed
  const { password } = user
  const wrapping = activationWrapping(password, id)
  const request = decodeMessage(wrapping.unwrap(packet, bytes) ?? new Uint8Array(0))
  if (request.netFn !== activateSession.netFn || request.command !== activateSession.code)
    throw new WireError('another command before the session is active')

  const data = await runRow(activateSession, request.data, async ({ privilege, challenge, first }) => {
    if (!sameCode(challenge, posed.challenge)) return new Declined(completionCodes.invalidData)
    if (privilege > Math.min(user.privilege, host.channelAccess.limit)) return new Declined(PRIVILEGE_TOO_HIGH)
    const mine = randomSessionId(random)
    // The console says from which number on the BMC counts, this answer included; the window takes any first one.
    const login = { user, ceiling: privilege, privilege: Math.min(privilege, privileges.user) }
    const session = sessions.activate({ id, consoleId: id }, { ...login, wrapping: md5Wrapping(password, id, first) })
    return session ? { authType: MD5, sessionId: id, first: mine, privilege } : new Declined(NO_SLOT)
  })
  const { netFn, command, sequence, from } = request
  const active = sessions.active(id)?.wrapping ?? wrapping
  return active.wrap(encodeMessage({ netFn: netFn + 1, command, sequence, to: from, from: BMC_ADDRESS, data }))
}
