import { command, netFns } from './command.ts'
import { bits, nothing, optional, struct, uint32, uint8 } from './fields.ts'

const { chassis } = netFns

/** IPMI 2.0 §28.1: what there is, and under which addresses; 20 is the BMC itself. */
export const getChassisCapabilities = command({
  name: 'Get Chassis Capabilities',
  netFn: chassis,
  code: 0x00,
  needs: 'user',
  request: nothing,
  response: struct({
    flags: bits({ intrusionSensor: 0, frontPanelLockout: 1, diagnosticInterrupt: 2, powerInterlock: 3 }),
    fruAddress: uint8,
    sdrAddress: uint8,
    selAddress: uint8,
    managementAddress: uint8,
  }),
})

/** §28.5: 15 seconds unless said otherwise; 0 ends it; `force` is for good. */
export const chassisIdentify = command({
  name: 'Chassis Identify',
  netFn: chassis,
  code: 0x04,
  needs: 'operator',
  request: struct({ seconds: optional(uint8), force: optional(bits({ on: 0 })) }),
  response: nothing,
})

/** §28.8: what comes after mains come back; 3 changes nothing, and is for asking. */
export const restorePolicies = { off: 0, previous: 1, on: 2, unchanged: 3 } as const

export const setPowerRestorePolicy = command({
  name: 'Set Power Restore Policy',
  netFn: chassis,
  code: 0x06,
  needs: 'operator',
  request: struct({ policy: bits({ after: [0, 3] }) }),
  response: struct({ supported: bits({ off: 0, previous: 1, on: 2 }) }),
})

/** §28.11 */
export const restartCauses = { unknown: 0, command: 1, watchdog: 4 } as const

export const getRestartCause = command({
  name: 'Get System Restart Cause',
  netFn: chassis,
  code: 0x07,
  needs: 'user',
  request: nothing,
  response: struct({ cause: bits({ by: [0, 4] }), channel: uint8 }),
})

/** §28.14 */
export const getPowerOnHours = command({
  name: 'Get POH Counter',
  netFn: chassis,
  code: 0x0f,
  needs: 'user',
  request: nothing,
  response: struct({ minutesPerCount: uint8, count: uint32 }),
})
