import type { IpmiSession } from './client.ts'
import { THIS_CHANNEL } from './commands.ts'
import { completionCodes } from './completion-code.ts'
import { CommandFailed } from './error.ts'
import {
  getUserAccess,
  getUserName,
  NO_ACCESS,
  passwordCodes,
  passwordOperations,
  setUserPassword as setPassword,
} from './user-commands.ts'

/** Somebody who may have a session over LAN, or could if he were enabled. */
export interface UserEntry {
  id: number
  name: string
  /** Undefined: the BMC doesn't say. */
  enabled: boolean | undefined
  privilege: number
}

/** IPMI 2.0 §22.30. */
const [SHORT, LONG] = [16, 20]
const DISABLED = 2
const UNSAID = 0
/** Without a name, and it stays so (§22.28). */
const NULL_USER = 1

/** A place for a user, whether or not it has one. */
export interface UserSlot extends UserEntry {
  /** Its name can't be changed. */
  isFixed: boolean
}

/** Every user that has a name, by id. */
export async function listUsers(session: IpmiSession): Promise<UserEntry[]> {
  const slots = await readUserSlots(session)
  return slots.filter(({ name }) => name !== '').map(({ isFixed: _fixed, ...user }) => user)
}

export async function readUserSlots(session: IpmiSession): Promise<UserSlot[]> {
  const slots: UserSlot[] = []
  for (let id = 1, most = 1; id <= most; id += 1) {
    const access = await unlessDeclined(session.send(getUserAccess, { channel: THIS_CHANNEL, user: { id } }))
    if (!access) continue
    most = access.users.most
    // A slot that nobody has used may have no name to tell.
    const named = await unlessDeclined(session.send(getUserName, { user: { id } }))
    const { status } = access.enabled
    const enabled = status === UNSAID ? undefined : status !== DISABLED
    const { privilege } = access.access
    slots.push({
      id,
      name: utf8(named?.name ?? ''),
      enabled,
      privilege,
      isFixed: id <= Math.max(NULL_USER, access.fixed.count),
    })
  }
  return slots
}

/** Who may log in, as far as the BMC says. */
export function mayLogIn({ enabled, privilege }: UserEntry): boolean {
  return enabled !== false && privilege !== 0 && privilege !== NO_ACCESS
}

export async function setUserPassword(session: IpmiSession, id: number, password: string): Promise<void> {
  await session.send(setPassword, request(id, passwordOperations.set, password))
}

/** Whether it is this user's, without logging in; not every BMC has this. */
export async function testUserPassword(session: IpmiSession, id: number, password: string): Promise<boolean> {
  try {
    await session.send(setPassword, request(id, passwordOperations.test, password))
    return true
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    if (error.completionCode === passwordCodes.wrong || error.completionCode === passwordCodes.wrongSize) return false
    throw error
  }
}

/** One that fits is sent as 16 bytes: of 20 it would be no use for IPMI 1.5. */
function request(id: number, what: number, password: string) {
  const bytes = Buffer.from(password)
  if (bytes.length > LONG) throw new RangeError(`the password has ${bytes.length} bytes; IPMI allows ${LONG}`)
  const padded = new Uint8Array(bytes.length > SHORT ? LONG : SHORT)
  padded.set(bytes)
  return { user: { id, long: padded.length === LONG }, operation: { what }, password: padded }
}

function utf8(name: string): string {
  return Buffer.from(name, 'latin1').toString()
}

/** These speak of who asks, or of the whole BMC; what others mean by "no such user" differs. */
const isOurs: ReadonlySet<number> = new Set([completionCodes.insufficientPrivilege, completionCodes.invalidCommand])

async function unlessDeclined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof CommandFailed && !isOurs.has(error.completionCode)) return undefined
    throw error
  }
}
