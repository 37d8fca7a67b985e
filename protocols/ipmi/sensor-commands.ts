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
