import { command, netFns } from './command.ts'
import { bits, named, nothing, optional, rest, struct, uint16, uint24, uint32, uint8 } from './fields.ts'

/** IPMI 2.0 §22.24 and table 5: the channel that the request came in on. */
export const THIS_CHANNEL = 0x0e

/** §28.3. `soft` asks the operating system by ACPI; `diag` is the NMI. */
export const chassisActions = { off: 0, on: 1, cycle: 2, reset: 3, diag: 4, soft: 5 } as const
export type ChassisAction = keyof typeof chassisActions

const { app, chassis } = netFns

/** §20.1 */
export const getDeviceId = command({
  name: 'Get Device ID',
  netFn: app,
  code: 0x01,
  needs: 'user',
  request: nothing,
  response: struct({
    deviceId: uint8,
    revision: bits({ deviceRevision: [0, 4], deviceSdrs: 7 }),
    firmware: bits({ major: [0, 7], updating: 7 }),
    /** BCD: 0x41 is ".41". */
    firmwareMinor: uint8,
    /** BCD with its digits swapped: 0x02 is 2.0, 0x51 is 1.5. */
    ipmiVersion: uint8,
    support: bits({ sensor: 0, sdr: 1, sel: 2, fru: 3, eventReceiver: 4, eventGenerator: 5, bridge: 6, chassis: 7 }),
    manufacturer: uint24,
    product: uint16,
    auxiliaryFirmware: rest,
  }),
})

/** §22.13 */
export const getChannelAuthCapabilities = command({
  name: 'Get Channel Authentication Capabilities',
  netFn: app,
  code: 0x38,
  needs: 'none',
  request: struct({ channel: bits({ number: [0, 4], extended: 7 }), privilege: uint8 }),
  response: struct({
    channel: uint8,
    types: bits({ none: 0, md2: 1, md5: 2, straight: 4, oem: 5, extended: 7 }),
    logins: bits({ anonymous: 0, nullUsers: 1, namedUsers: 2, userLevelOff: 3, perMessageOff: 4, kgSet: 5 }),
    extended: bits({ ipmi15: 0, ipmi20: 1 }),
    oem: uint24,
    oemAuxiliary: uint8,
  }),
})

/** §22.15: records come 16 bytes at a time, see cipher-suite.ts. */
export const getChannelCipherSuites = command({
  name: 'Get Channel Cipher Suites',
  netFn: app,
  code: 0x54,
  needs: 'none',
  request: struct({ channel: uint8, payloadType: uint8, list: bits({ index: [0, 6], bySuite: 7 }) }),
  response: struct({ channel: uint8, records: rest }),
})

/** §22.18. Level 0 reads the present one. */
export const setSessionPrivilege = command({
  name: 'Set Session Privilege Level',
  netFn: app,
  code: 0x3b,
  needs: 'callback',
  request: struct({ level: uint8 }),
  response: struct({ level: uint8 }),
})

/** §22.19 */
export const closeSession = command({
  name: 'Close Session',
  netFn: app,
  code: 0x3c,
  needs: 'callback',
  request: struct({ sessionId: uint32 }),
  response: nothing,
})

/** §28.2 */
export const getChassisStatus = command({
  name: 'Get Chassis Status',
  netFn: chassis,
  code: 0x01,
  needs: 'user',
  request: nothing,
  response: struct({
    power: bits({ on: 0, overload: 1, interlock: 2, fault: 3, controlFault: 4, restorePolicy: [5, 2] }),
    lastEvent: bits({ acFailed: 0, overload: 1, interlock: 2, fault: 3, onByCommand: 4 }),
    misc: bits({
      intrusion: 0,
      frontPanelLockout: 1,
      driveFault: 2,
      coolingFault: 3,
      identify: [4, 2],
      canIdentify: 6,
    }),
    frontPanel: optional(uint8),
  }),
})

/** §28.3 */
export const chassisControl = command({
  name: 'Chassis Control',
  netFn: chassis,
  code: 0x02,
  needs: 'operator',
  request: struct({ action: named(chassisActions) }),
  response: nothing,
})

/** §28.12; what the data of a parameter mean is in boot-parameters.ts. */
export const setSystemBootOptions = command({
  name: 'Set System Boot Options',
  netFn: chassis,
  code: 0x08,
  needs: 'operator',
  request: struct({ parameter: bits({ selector: [0, 7], locked: 7 }), data: rest }),
  response: nothing,
})

/** §28.13 */
export const getSystemBootOptions = command({
  name: 'Get System Boot Options',
  netFn: chassis,
  code: 0x09,
  needs: 'operator',
  request: struct({ selector: uint8, set: uint8, block: uint8 }),
  response: struct({ version: uint8, parameter: bits({ selector: [0, 7], locked: 7 }), data: rest }),
})
