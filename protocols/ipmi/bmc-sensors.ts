import { Declined, type Inventory } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import { completionCodes } from './completion-code.ts'
import { FIRST_RECORD, LAST_RECORD } from './event-log-commands.ts'
import { getSdr, getSdrRepositoryInfo, getSensorReading, reserveSdrRepository } from './sensor-commands.ts'

const VERSION = 0x51
const WHOLE = 0xff
/** The repository never changes, so one reservation does for everybody. */
const RESERVATION = 1
/** Where a record keeps the number of its sensor (IPMI 2.0 §43.1). */
const NUMBER_AT = 7
/** §43: the types that name a sensor which can be read: full and compact. */
const READABLE: ReadonlySet<number> = new Set([0x01, 0x02])

export const sensorRows: ReadonlyArray<[string, Row]> = [
  row(getSdrRepositoryInfo, async (_request, { inventory }) => ({
    version: VERSION,
    records: inventory.sensors.length,
    freeBytes: 0,
    lastAddition: 0,
    lastErase: 0,
    support: { allocationInfo: false, reserve: true, partialAdd: false, delete: false, update: 0, overflow: false },
  })),

  row(reserveSdrRepository, async () => ({ reservation: RESERVATION })),

  row(getSdr, async ({ reservation, record, offset, count }, { inventory }) => {
    // §33.12: a part of a record may only be read under a reservation.
    if (offset !== 0 && reservation !== RESERVATION) return new Declined(completionCodes.reservationLost)
    const { sensors } = inventory
    const at = record === FIRST_RECORD ? 0 : record === LAST_RECORD ? sensors.length - 1 : record - 1
    const found = sensors[at]
    if (!found) return new Declined(completionCodes.notPresent)
    const data = withId(found.record, at + 1)
    const next = at + 1 < sensors.length ? at + 2 : LAST_RECORD
    return { next, data: data.subarray(offset, count === WHOLE ? undefined : offset + count) }
  }),

  row(getSensorReading, async ({ number }, { inventory, sensorSettings }) => {
    const found = sensorOf(inventory, number)
    if (!found) return new Declined(completionCodes.notPresent)
    const now = await found.read()
    const { scanning = true, events = true } = sensorSettings.of(number) ?? {}
    const flags = { unavailable: now === undefined || !scanning, scanning, events }
    const states = now && (sensorSettings.crossed(number, now.raw) ?? now.states)
    return { reading: now?.raw ?? 0, flags, states: states ?? 0, moreStates: undefined }
  }),
]

function sensorOf({ sensors }: Inventory, number: number): Inventory['sensors'][number] | undefined {
  return sensors.find(({ record }) => READABLE.has(record[3] ?? 0) && record[NUMBER_AT] === number)
}

function withId(record: Uint8Array, id: number): Uint8Array {
  const copy = new Uint8Array(record)
  new DataView(copy.buffer).setUint16(0, id, true)
  return copy
}
