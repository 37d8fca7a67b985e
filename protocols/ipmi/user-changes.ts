import type { IpmiSession } from './client.ts'
import { type Privilege, privileges } from './command.ts'
import { THIS_CHANNEL } from './commands.ts'
import { IpmiError } from './error.ts'
import { NAME, NO_ACCESS, passwordOperations, setUserAccess, setUserName, setUserPassword } from './user-commands.ts'
import { readUserSlots, setUserPassword as changePassword, type UserSlot } from './users.ts'

/** What is left out stays as it is. */
export interface UserChange {
  name: string
  password?: string | undefined
  /** On this channel; `none`: he may not use it at all. */
  privilege?: Privilege | 'none' | undefined
  enabled?: boolean | undefined
}

/** Changes the user of this name; one who isn't there is made, in the first free slot, and needs a password. Whoever is new may log in
 * only once all else of him is set, so that what is cut short lets nobody in. */
export async function putUser(session: IpmiSession, change: UserChange): Promise<void> {
  const slots = await readUserSlots(session)
  const known = slots.find(({ name }) => name === change.name)
  const { id } = known ?? (await nameFreeSlot(session, slots, change))
  if (change.password !== undefined) await changePassword(session, id, change.password)
  const privilege = change.privilege ?? (known ? undefined : 'none')
  if (privilege !== undefined) await allow(session, id, privilege)
  const enabled = change.enabled ?? (known ? undefined : true)
  if (enabled !== undefined) await enable(session, id, enabled)
}

async function nameFreeSlot(session: IpmiSession, slots: readonly UserSlot[], change: UserChange): Promise<UserSlot> {
  const { host, port } = session
  const refuse = (problem: string): IpmiError => new IpmiError({ host, port, operation: setUserName.name }, problem)
  const { name, password } = change
  if (password === undefined) throw refuse(`the BMC has no user ${name}; a new one needs a password`)
  if (Buffer.byteLength(name) > NAME) throw refuse(`the name has more than ${NAME} bytes`)
  const free = slots.find((slot) => !slot.isFixed && slot.name === '')
  if (!free) throw refuse(`all ${slots.length} slots for users are taken; rename or reuse one`)
  await enable(session, free.id, false)
  await session.send(setUserName, { user: { id: free.id }, name })
  return free
}

/** IPMI 2.0 §22.26: without messages of IPMI a user of the channel can do nothing. */
async function allow(session: IpmiSession, id: number, privilege: Privilege | 'none'): Promise<void> {
  const messaging = privilege !== 'none'
  const channel = { number: THIS_CHANNEL, messaging, linkAuthentication: false, callbackOnly: false, change: true }
  const limit = { privilege: privilege === 'none' ? NO_ACCESS : privileges[privilege] }
  await session.send(setUserAccess, { channel, user: { id }, limit, sessions: undefined })
}

async function enable(session: IpmiSession, id: number, enabled: boolean): Promise<void> {
  const what = enabled ? passwordOperations.enable : passwordOperations.disable
  const user = { id, long: false }
  await session.send(setUserPassword, { user, operation: { what }, password: new Uint8Array(0) })
}
