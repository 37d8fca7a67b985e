import { command, netFns } from './command.ts'
import { bits, rest, struct } from './fields.ts'

/** IPMI 2.0 §22.7, table 22-9: the BMC is to hand the answer to who asked. */
export const TRACKED = 1

/** §22.7. The answer of the other controller comes by itself, or inside this one's. */
export const sendMessage = command({
  name: 'Send Message',
  netFn: netFns.app,
  code: 0x34,
  needs: 'user',
  request: struct({ to: bits({ channel: [0, 4], tracking: [6, 2] }), message: rest }),
  response: rest,
})
