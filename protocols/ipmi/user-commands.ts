import { command, netFns } from './command.ts'
import { bits, nothing, optional, rest, struct, text, uint8 } from './fields.ts'

const { app } = netFns

/** IPMI 2.0 §22.29: room for a name. */
export const NAME = 16
/** The privilege limit of somebody who may not use a channel at all (§22.26). */
export const NO_ACCESS = 0x0f

/** §22.26. `change` says whether the three bits before it count; the privilege limit always does. */
export const setUserAccess = command({
  name: 'Set User Access',
  netFn: app,
  code: 0x43,
  needs: 'administrator',
  request: struct({
    channel: bits({ number: [0, 4], messaging: 4, linkAuthentication: 5, callbackOnly: 6, change: 7 }),
    user: bits({ id: [0, 6] }),
    limit: bits({ privilege: [0, 4] }),
    sessions: optional(uint8),
  }),
  response: nothing,
})

/** §22.27. `enabled`: 1 yes, 2 no, 0 the BMC doesn't say; `count` of all users together. */
export const getUserAccess = command({
  name: 'Get User Access',
  netFn: app,
  code: 0x44,
  needs: 'operator',
  request: struct({ channel: uint8, user: bits({ id: [0, 6] }) }),
  response: struct({
    users: bits({ most: [0, 6] }),
    enabled: bits({ count: [0, 6], status: [6, 2] }),
    fixed: bits({ count: [0, 6] }),
    access: bits({ privilege: [0, 4], messaging: 4, linkAuthentication: 5, callbackOnly: 6 }),
  }),
})

/** §22.28 */
export const setUserName = command({
  name: 'Set User Name',
  netFn: app,
  code: 0x45,
  needs: 'administrator',
  request: struct({ user: bits({ id: [0, 6] }), name: text(NAME) }),
  response: nothing,
})

/** §22.29 */
export const getUserName = command({
  name: 'Get User Name',
  netFn: app,
  code: 0x46,
  needs: 'operator',
  request: struct({ user: bits({ id: [0, 6] }) }),
  response: struct({ name: text(NAME) }),
})

export const passwordOperations = { disable: 0, enable: 1, set: 2, test: 3 } as const

/** §22.30. `long`: the password has 20 bytes, otherwise 16; enabling and disabling need none. */
export const setUserPassword = command({
  name: 'Set User Password',
  netFn: app,
  code: 0x47,
  needs: 'administrator',
  request: struct({ user: bits({ id: [0, 6], long: 7 }), operation: bits({ what: [0, 2] }), password: rest }),
  response: nothing,
})

/** What a test of a password can end with beside "right" (§22.30). */
export const passwordCodes = { wrong: 0x80, wrongSize: 0x81 } as const
