import { command, netFns } from './command.ts'
import { bits, bytes, constant, rest, struct, uint16, uint32, uint8 } from './fields.ts'

const { group } = netFns

/** DCMI 1.5 §6.2: its commands, and its responses, begin with this. */
const dcmi = constant(0xdc)
export const DCMI = 0xdc

/** What one command can carry of a text (§6.4.2, §6.4.6). */
export const TEXT_PART = 16

/** §6.1.1; what the data of a parameter mean is in its table 6-2. */
export const getDcmiCapabilities = command({
  name: 'Get DCMI Capabilities Info',
  netFn: group,
  code: 0x01,
  needs: 'user',
  request: struct({ group: dcmi, selector: uint8 }),
  response: struct({ group: dcmi, major: uint8, minor: uint8, revision: uint8, data: rest }),
})

/** §6.6.1; mode 1 is the reading of the whole system. */
export const getPowerReading = command({
  name: 'Get Power Reading',
  netFn: group,
  code: 0x02,
  needs: 'user',
  request: struct({ group: dcmi, mode: uint8, attributes: uint8, reserved: uint8 }),
  response: struct({
    group: dcmi,
    watts: uint16,
    minimum: uint16,
    maximum: uint16,
    average: uint16,
    seconds: uint32,
    periodMs: uint32,
    state: bits({ active: 6 }),
  }),
})

/** §6.6.2: what happens when the limit can't be kept. */
export const limitActions = { none: 0, off: 1, log: 0x11 } as const
/** §6.6.2, §6.6.3: these commands' own completion codes. */
export const limitCodes = { notActive: 0x80, wattsOutOfRange: 0x84, correctionOutOfRange: 0x85, periodOutOfRange: 0x89 }

const limit = { action: uint8, watts: uint16, correctionMs: uint32, spare: bytes(2), periodSeconds: uint16 }

/** §6.6.2. Code 80 is no failure: the limit is there, and is not in force. */
export const getPowerLimit = command({
  name: 'Get Power Limit',
  netFn: group,
  code: 0x03,
  needs: 'user',
  request: struct({ group: dcmi, reserved: bytes(2) }),
  response: struct({ group: dcmi, reserved: bytes(2), ...limit }),
})

/** §6.6.3 */
export const setPowerLimit = command({
  name: 'Set Power Limit',
  netFn: group,
  code: 0x04,
  needs: 'operator',
  request: struct({ group: dcmi, reserved: bytes(3), ...limit }),
  response: struct({ group: dcmi }),
})

/** §6.6.4 */
export const activatePowerLimit = command({
  name: 'Activate/Deactivate Power Limit',
  netFn: group,
  code: 0x05,
  needs: 'operator',
  request: struct({ group: dcmi, activate: bits({ active: 0 }), reserved: bytes(2) }),
  response: struct({ group: dcmi }),
})

/** §6.4.2 */
export const getAssetTag = command({
  name: 'Get Asset Tag',
  netFn: group,
  code: 0x06,
  needs: 'user',
  request: struct({ group: dcmi, offset: uint8, count: uint8 }),
  response: struct({ group: dcmi, total: uint8, data: rest }),
})

/** §6.4.3. The tag ends with what is written last. */
export const setAssetTag = command({
  name: 'Set Asset Tag',
  netFn: group,
  code: 0x08,
  needs: 'operator',
  request: struct({ group: dcmi, offset: uint8, count: uint8, data: rest }),
  response: struct({ group: dcmi, total: uint8 }),
})

/** §6.4.6.1: by which name a BMC asks for an address. A NUL ends it. */
export const getControllerId = command({
  ...getAssetTag,
  name: 'Get Management Controller Identifier String',
  code: 0x09,
})

/** §6.4.6.2 */
export const setControllerId = command({
  ...setAssetTag,
  name: 'Set Management Controller Identifier String',
  code: 0x0a,
})
