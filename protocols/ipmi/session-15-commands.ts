import { command, netFns } from './command.ts'
import { bytes, struct, uint32, uint8 } from './fields.ts'

const { app } = netFns

/** IPMI 2.0 §22.16 */
export const getSessionChallenge = command({
  name: 'Get Session Challenge',
  netFn: app,
  code: 0x39,
  needs: 'none',
  request: struct({ authType: uint8, username: bytes(16) }),
  response: struct({ temporaryId: uint32, challenge: bytes(16) }),
})

/** §22.17. `first`: the sequence number that the other side is to begin with. */
export const activateSession = command({
  name: 'Activate Session',
  netFn: app,
  code: 0x3a,
  needs: 'none',
  request: struct({ authType: uint8, privilege: uint8, challenge: bytes(16), first: uint32 }),
  response: struct({ authType: uint8, sessionId: uint32, first: uint32, privilege: uint8 }),
})
