import { command, netFns } from './command.ts'
import { bits, bytes, nothing, struct, uint24 } from './fields.ts'

const { app } = netFns

/** IPMI 2.0 table 6-3. */
export const MEDIUM_LAN = 4
/** §22.22: what an access may be set or read of. */
export const copies = { unchanged: 0, kept: 1, present: 2 } as const
/** §6.6 */
export const accessModes = { disabled: 0, preBoot: 1, always: 2, shared: 3 } as const

const accessBits = { mode: [0, 3], userLevelOff: 3, perMessageOff: 4, alertingOff: 5 } as const

/** §22.22 */
export const setChannelAccess = command({
  name: 'Set Channel Access',
  netFn: app,
  code: 0x40,
  needs: 'administrator',
  request: struct({
    channel: bits({ number: [0, 4] }),
    access: bits({ ...accessBits, copy: [6, 2] }),
    limit: bits({ privilege: [0, 4], copy: [6, 2] }),
  }),
  response: nothing,
})

/** §22.23 */
export const getChannelAccess = command({
  name: 'Get Channel Access',
  netFn: app,
  code: 0x41,
  needs: 'user',
  request: struct({ channel: bits({ number: [0, 4] }), of: bits({ copy: [6, 2] }) }),
  response: struct({ access: bits(accessBits), limit: bits({ privilege: [0, 4] }) }),
})

/** §22.24. `protocol` 1 is IPMB; `support`: 0 no sessions, 1 one, 2 several, 3 one at a time of each interface. */
export const getChannelInfo = command({
  name: 'Get Channel Info',
  netFn: app,
  code: 0x42,
  needs: 'user',
  request: struct({ channel: bits({ number: [0, 4] }) }),
  response: struct({
    channel: bits({ number: [0, 4] }),
    medium: bits({ type: [0, 7] }),
    protocol: bits({ type: [0, 5] }),
    sessions: bits({ active: [0, 6], support: [6, 2] }),
    vendor: uint24,
    auxiliary: bytes(2),
  }),
})
