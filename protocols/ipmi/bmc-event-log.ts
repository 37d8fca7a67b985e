import { Declined } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import type { Clock } from './clock.ts'
import { completionCodes } from './completion-code.ts'
import {
  addSelEntry,
  clearSel,
  FIRST_RECORD,
  getSelEntry,
  getSelInfo,
  getSelTime,
  LAST_RECORD,
  reserveSel,
  setSelTime,
} from './event-log-commands.ts'

const ENTRY = 16
const CAPACITY = 512
const WHOLE = 0xff
const [INITIATE, DONE] = [0xaa, 1]
/** IPMI 2.0 §31.2: version of the SEL commands, BCD with its digits swapped. */
const VERSION = 0x51

/** The system event log of a BMC, and its clock. Full, it drops nothing and takes nothing more, as §31.6 would have it. */
export class EventLog {
  readonly #clock: Clock
  #entries = new Map<number, Uint8Array>()
  #next = 1
  #reservation = 0
  #lastAddition = 0
  #lastErase = 0
  /** What the BMC's clock is ahead of ours, in seconds. */
  #ahead: number

  constructor(clock: Clock, wallClock: () => number = Date.now) {
    this.#clock = clock
    this.#ahead = Math.floor((wallClock() - clock.now()) / 1000)
  }

  now(): number {
    return Math.floor(this.#clock.now() / 1000) + this.#ahead
  }

  setClock(seconds: number): void {
    this.#ahead = seconds - Math.floor(this.#clock.now() / 1000)
  }

  info(): { entries: number; freeBytes: number; lastAddition: number; lastErase: number } {
    const entries = this.#entries.size
    return {
      entries,
      freeBytes: (CAPACITY - entries) * ENTRY,
      lastAddition: this.#lastAddition,
      lastErase: this.#lastErase,
    }
  }

  reserve(): number {
    this.#reservation = (this.#reservation % 0xffff) + 1
    return this.#reservation
  }

  /** §31.4: any change of the log ends a reservation, so that nobody clears what he hasn't seen. */
  isReserved(reservation: number): boolean {
    return reservation !== 0 && reservation === this.#reservation
  }

  entry(record: number): { data: Uint8Array; next: number } | undefined {
    const ids = [...this.#entries.keys()]
    const at = record === FIRST_RECORD ? 0 : record === LAST_RECORD ? ids.length - 1 : ids.indexOf(record)
    const id = ids[at]
    const data = id === undefined ? undefined : this.#entries.get(id)
    return data && { data, next: ids[at + 1] ?? LAST_RECORD }
  }

  /** The record's id; undefined: there is no room. The id and the time are the log's to give. */
  add(entry: Uint8Array): number | undefined {
    if (this.#entries.size >= CAPACITY) return undefined
    const id = this.#next
    this.#next = id + 1 === LAST_RECORD ? 1 : id + 1
    const kept = new Uint8Array(entry)
    const view = new DataView(kept.buffer)
    view.setUint16(0, id, true)
    if (view.getUint8(2) < 0xe0) view.setUint32(3, this.now(), true)
    this.#entries.set(id, kept)
    this.#lastAddition = this.now()
    this.#reservation = 0
    return id
  }

  clear(): void {
    this.#entries = new Map()
    this.#lastErase = this.now()
    this.#reservation = 0
  }
}

export const eventLogRows: ReadonlyArray<[string, Row]> = [
  row(getSelInfo, async (_request, { eventLog }) => ({
    version: VERSION,
    ...eventLog.info(),
    support: { allocationInfo: false, reserve: true, partialAdd: false, delete: false, overflow: false },
  })),

  row(reserveSel, async (_request, { eventLog }) => ({ reservation: eventLog.reserve() })),

  row(getSelEntry, async ({ record, offset, count }, { eventLog }) => {
    const found = eventLog.entry(record)
    if (!found) return new Declined(completionCodes.notPresent)
    return { next: found.next, data: found.data.subarray(offset, count === WHOLE ? undefined : offset + count) }
  }),

  row(addSelEntry, async ({ entry }, { eventLog }) => {
    const record = eventLog.add(entry)
    return record === undefined ? new Declined(completionCodes.outOfSpace) : { record }
  }),

  row(clearSel, async ({ reservation, magic, action }, { eventLog }) => {
    if (Buffer.from(magic).toString('latin1') !== 'CLR') return new Declined(completionCodes.invalidData)
    if (action !== INITIATE) return { progress: { state: DONE } }
    if (!eventLog.isReserved(reservation)) return new Declined(completionCodes.reservationLost)
    eventLog.clear()
    return { progress: { state: DONE } }
  }),

  row(getSelTime, async (_request, { eventLog }) => ({ seconds: eventLog.now() })),

  row(setSelTime, async ({ seconds }, { eventLog }) => eventLog.setClock(seconds)),
]
