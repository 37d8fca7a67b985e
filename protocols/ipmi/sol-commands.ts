import { command, netFns } from './command.ts'
import { bits, bytes, nothing, rest, struct, uint16, uint32, uint8 } from './fields.ts'

const { app, transport } = netFns

/** IPMI 2.0 §24.1 and §24.2: these commands' own completion codes. */
export const payloadCodes = {
  activeElsewhere: 0x80,
  alreadyInactive: 0x80,
  disabled: 0x81,
  limitReached: 0x82,
  notEncrypted: 0x83,
  mustBeEncrypted: 0x84,
} as const

/** §26.2: the like of the configuration's commands. */
export const solCodes = { notSupported: 0x80, inProgress: 0x81, readOnly: 0x82 } as const

const which = { type: bits({ payload: [0, 6] }), instance: bits({ number: [0, 4] }) }
/** Of §24.6–24.8: what comes first of the payload types, 0–7: IPMI messages, SOL, … */
const standard = bits({ message: 0, sol: 1, oem: 2 })

/** §24.1, the auxiliary data are those of SOL. */
export const activatePayload = command({
  name: 'Activate Payload',
  netFn: app,
  code: 0x48,
  needs: 'user',
  request: struct({
    ...which,
    /** `alerts`: what becomes of serial alerts meanwhile; `handshake`: CTS, DCD and DSR are deasserted until the console says so. */
    sol: bits({ handshake: 1, alerts: [2, 2], test: 5, authenticated: 6, encrypted: 7 }),
    reserved: bytes(3),
  }),
  response: struct({ auxiliary: uint32, inbound: uint16, outbound: uint16, port: uint16, vlan: uint16 }),
})

/** §24.2 */
export const deactivatePayload = command({
  name: 'Deactivate Payload',
  netFn: app,
  code: 0x49,
  needs: 'user',
  request: struct({ ...which, auxiliary: uint32 }),
  response: nothing,
})

/** §24.4: bit n of `active` is instance n + 1. */
export const getPayloadActivationStatus = command({
  name: 'Get Payload Activation Status',
  netFn: app,
  code: 0x4a,
  needs: 'user',
  request: struct({ type: uint8 }),
  response: struct({ capacity: bits({ most: [0, 4] }), active: uint16 }),
})

/** §24.5: session 0 is nobody's; SOL says which serial port it is. */
export const getPayloadInstanceInfo = command({
  name: 'Get Payload Instance Info',
  netFn: app,
  code: 0x4b,
  needs: 'user',
  request: struct({ type: uint8, instance: uint8 }),
  response: struct({ session: uint32, serialPort: uint8, reserved: bytes(7) }),
})

/** §24.7 */
export const getUserPayloadAccess = command({
  name: 'Get User Payload Access',
  netFn: app,
  code: 0x4d,
  needs: 'operator',
  request: struct({ channel: uint8, user: uint8 }),
  response: struct({ standard, reserved: bytes(3) }),
})

/** §24.8 */
export const getChannelPayloadSupport = command({
  name: 'Get Channel Payload Support',
  netFn: app,
  code: 0x4e,
  needs: 'user',
  request: struct({ channel: uint8 }),
  /** `setup`: payloads 10h–17h, those of a log-in. */
  response: struct({ standard, standard8: uint8, setup: uint8, setup8: uint8, oem: bytes(4) }),
})

/** §24.9 */
export const getChannelPayloadVersion = command({
  name: 'Get Channel Payload Version',
  netFn: app,
  code: 0x4f,
  needs: 'user',
  request: struct({ channel: uint8, type: uint8 }),
  response: struct({ version: bits({ minor: [0, 4], major: [4, 4] }) }),
})

/** §26.2 */
export const setSolConfiguration = command({
  name: 'Set SOL Configuration Parameters',
  netFn: transport,
  code: 0x21,
  needs: 'administrator',
  request: struct({ channel: bits({ number: [0, 4] }), selector: uint8, data: rest }),
  response: nothing,
})

/** §26.3 */
export const getSolConfiguration = command({
  name: 'Get SOL Configuration Parameters',
  netFn: transport,
  code: 0x22,
  needs: 'user',
  request: struct({ channel: bits({ number: [0, 4], revisionOnly: 7 }), selector: uint8, set: uint8, block: uint8 }),
  response: struct({ revision: uint8, data: rest }),
})
