import type { BmcUser } from './bmc-options.ts'
import { Declined } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import { privileges } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { sameCode } from './crypto.ts'
import {
  getUserAccess,
  getUserName,
  NO_ACCESS,
  passwordCodes,
  passwordOperations,
  setUserAccess,
  setUserName,
  setUserPassword,
} from './user-commands.ts'

/** A user as the BMC keeps it, in a slot whose number is its id. */
export interface Account {
  readonly id: number
  name: string
  password: Uint8Array
  /** The room that its password was given: those of 20 bytes are no use for IPMI 1.5 (IPMI 2.0 §22.30). */
  size: 16 | 20
  enabled: boolean
  privilege: number
  messaging: boolean
  linkAuthentication: boolean
  callbackOnly: boolean
}

const SLOTS = 16
/** §22.26: 6 bits. */
const MOST = 63
/** Its name is empty, and stays so. */
const NULL_USER = 1
const [SHORT, LONG] = [16, 20] as const
const [ENABLED, DISABLED] = [1, 2]
const nobody = {
  name: '',
  password: new Uint8Array(0),
  size: SHORT,
  enabled: false,
  privilege: NO_ACCESS,
  messaging: false,
  linkAuthentication: false,
  callbackOnly: false,
} as const

/** Who may log in to a BMC. */
export class Users {
  readonly #slots: readonly Account[]

  constructor(given: readonly BmcUser[]) {
    const slots = Math.max(SLOTS, given.length + NULL_USER)
    if (slots > MOST) throw new RangeError(`${given.length} users; a BMC has room for ${MOST - NULL_USER}`)
    this.#slots = Array.from({ length: slots }, (_, at) => ({ ...nobody, id: at + 1 }))
    const named = given.filter(({ name }) => name !== '')
    this.#fill(
      NULL_USER,
      given.find(({ name }) => name === ''),
    )
    for (const [at, user] of named.entries()) this.#fill(NULL_USER + 1 + at, user)
  }

  get most(): number {
    return this.#slots.length
  }

  get enabled(): number {
    return this.#slots.filter(({ enabled }) => enabled).length
  }

  get nullEnabled(): boolean {
    return this.#slots[0]?.enabled ?? false
  }

  slot(id: number): Account | undefined {
    return this.#slots[id - 1]
  }

  /** Who may log in under this name, the first; `privilege`: who has just that. */
  find(name: Uint8Array, privilege?: number): Account | undefined {
    const isMeant = (one: Account): boolean => privilege === undefined || one.privilege === privilege
    return this.#slots.find((one) => mayLogIn(one) && isMeant(one) && sameCode(Buffer.from(one.name, 'latin1'), name))
  }

  #fill(id: number, user: BmcUser | undefined): void {
    const slot = this.slot(id)
    if (!slot || !user) return
    const password = Buffer.from(user.password)
    const size = password.length > SHORT ? LONG : SHORT
    const access = { enabled: true, privilege: privileges[user.privilege], messaging: true }
    // As the bytes that consoles send.
    const name = Buffer.from(user.name).toString('latin1')
    Object.assign(slot, { name, password, size, ...access })
  }
}

function mayLogIn({ enabled, messaging, privilege }: Account): boolean {
  return enabled && messaging && privilege !== 0 && privilege !== NO_ACCESS
}

export const userRows: ReadonlyArray<[string, Row]> = [
  row(getUserAccess, async ({ user }, { users }) => {
    const slot = users.slot(user.id)
    if (!slot) return noSuchUser
    return {
      users: { most: users.most },
      enabled: { count: users.enabled, status: slot.enabled ? ENABLED : DISABLED },
      fixed: { count: NULL_USER },
      access: slot,
    }
  }),

  row(setUserAccess, async ({ channel, user, limit }, { users }) => {
    const slot = users.slot(user.id)
    if (!slot) return noSuchUser
    if (limit.privilege > privileges.administrator && limit.privilege !== NO_ACCESS) return invalid
    const { messaging, linkAuthentication, callbackOnly } = channel
    Object.assign(slot, limit, channel.change ? { messaging, linkAuthentication, callbackOnly } : {})
    return undefined
  }),

  row(getUserName, async ({ user }, { users }) => users.slot(user.id) ?? noSuchUser),

  row(setUserName, async ({ user, name }, { users }) => {
    const slot = users.slot(user.id)
    if (!slot || slot.id === NULL_USER) return noSuchUser
    slot.name = name
    return undefined
  }),

  row(setUserPassword, async ({ user, operation, password }, { users }) => {
    const slot = users.slot(user.id)
    if (!slot) return noSuchUser
    const size = user.long ? LONG : SHORT
    switch (operation.what) {
      case passwordOperations.enable:
      case passwordOperations.disable:
        slot.enabled = operation.what === passwordOperations.enable
        return undefined
      case passwordOperations.set:
        if (password.length !== size) return new Declined(completionCodes.invalidLength)
        Object.assign(slot, { password: unpadded(password), size })
        return undefined
      default:
        if (size !== slot.size) return new Declined(passwordCodes.wrongSize)
        return sameCode(unpadded(password), slot.password) ? undefined : new Declined(passwordCodes.wrong)
    }
  }),
]

const noSuchUser = new Declined(completionCodes.outOfRange)
const invalid = new Declined(completionCodes.invalidData)

/** Keys of HMAC and of MD5 are filled up with zeros anyway. */
function unpadded(password: Uint8Array): Uint8Array {
  const end = password.findLastIndex((byte) => byte !== 0) + 1
  return password.slice(0, end)
}
