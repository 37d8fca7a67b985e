import { command, netFns } from './command.ts'
import { bits, nothing, optional, rest, struct, uint16, uint32, uint8 } from './fields.ts'

const { sensor, storage } = netFns

/** IPMI 2.0 §33.9 */
export const getSdrRepositoryInfo = command({
  name: 'Get SDR Repository Info',
  netFn: storage,
  code: 0x20,
  needs: 'user',
  request: nothing,
  response: struct({
    version: uint8,
    records: uint16,
    freeBytes: uint16,
    lastAddition: uint32,
    lastErase: uint32,
    support: bits({ allocationInfo: 0, reserve: 1, partialAdd: 2, delete: 3, update: [5, 2], overflow: 7 }),
  }),
})

/** §33.11 */
export const reserveSdrRepository = command({
  name: 'Reserve SDR Repository',
  netFn: storage,
  code: 0x22,
  needs: 'user',
  request: nothing,
  response: struct({ reservation: uint16 }),
})

/** §33.12 */
export const getSdr = command({
  name: 'Get SDR',
  netFn: storage,
  code: 0x23,
  needs: 'user',
  request: struct({ reservation: uint16, record: uint16, offset: uint8, count: uint8 }),
  response: struct({ next: uint16, data: rest }),
})

/** §35.14. `states` are thresholds that are crossed, or states that are asserted, by the sensor's type. */
export const getSensorReading = command({
  name: 'Get Sensor Reading',
  netFn: sensor,
  code: 0x2d,
  needs: 'user',
  request: struct({ number: uint8 }),
  response: struct({
    reading: uint8,
    flags: bits({ unavailable: 5, scanning: 6, events: 7 }),
    states: optional(uint8),
    moreStates: optional(uint8),
  }),
})

const thresholdBits = bits({
  lowerNonCritical: 0,
  lowerCritical: 1,
  lowerNonRecoverable: 2,
  upperNonCritical: 3,
  upperCritical: 4,
  upperNonRecoverable: 5,
})
/** Raw, in the order of the bits. */
const thresholds = {
  lowerNonCritical: uint8,
  lowerCritical: uint8,
  lowerNonRecoverable: uint8,
  upperNonCritical: uint8,
  upperCritical: uint8,
  upperNonRecoverable: uint8,
}

/** §35.8 */
export const setSensorThresholds = command({
  name: 'Set Sensor Thresholds',
  netFn: sensor,
  code: 0x26,
  needs: 'operator',
  request: struct({ number: uint8, change: thresholdBits, ...thresholds }),
  response: nothing,
})

/** §35.9 */
export const getSensorThresholds = command({
  name: 'Get Sensor Thresholds',
  netFn: sensor,
  code: 0x27,
  needs: 'user',
  request: struct({ number: uint8 }),
  response: struct({ readable: thresholdBits, ...thresholds }),
})

/** §35.6, §35.7: the mask is reserved, and FF. */
const hysteresis = { positive: uint8, negative: uint8 }

export const setSensorHysteresis = command({
  name: 'Set Sensor Hysteresis',
  netFn: sensor,
  code: 0x24,
  needs: 'operator',
  request: struct({ number: uint8, mask: uint8, ...hysteresis }),
  response: nothing,
})

export const getSensorHysteresis = command({
  name: 'Get Sensor Hysteresis',
  netFn: sensor,
  code: 0x25,
  needs: 'user',
  request: struct({ number: uint8, mask: uint8 }),
  response: struct(hysteresis),
})

/** §35.10. What is to become of the events that the masks name. */
export const eventChanges = { none: 0, enable: 1, disable: 2 } as const

export const setSensorEvents = command({
  name: 'Set Sensor Event Enable',
  netFn: sensor,
  code: 0x28,
  needs: 'operator',
  request: struct({
    number: uint8,
    flags: bits({ change: [4, 2], scanning: 6, events: 7 }),
    assertions: optional(uint16),
    deassertions: optional(uint16),
  }),
  response: nothing,
})

/** §35.11 */
export const getSensorEvents = command({
  name: 'Get Sensor Event Enable',
  netFn: sensor,
  code: 0x29,
  needs: 'user',
  request: struct({ number: uint8 }),
  response: struct({
    flags: bits({ scanning: 6, events: 7 }),
    assertions: optional(uint16),
    deassertions: optional(uint16),
  }),
})
