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
  deleteSelEntry,
  getSelTime,
  getSelTimeOffset,
  LAST_RECORD,
  reserveSel,
  setSelTime,
  setSelTimeOffset,
  UNKNOWN_OFFSET,
} from './event-log-commands.ts'

/** §31.11b */
const MOST_OFFSET = 1440
const ENTRY = 16
const CAPACITY = 512
const WHOLE = 0xff
const [INITIATE, STATUS] = [0xaa, 0x00]
const [ERASING, DONE] = [0, 1]
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
  /** From UTC, in minutes. */
  offset = UNKNOWN_OFFSET
  readonly #eraseMs: number
  #erasedAt = 0
  /** What the BMC's clock is ahead of ours, in seconds. */
  #ahead: number

  constructor(
    clock: Clock,
    { wallClock = Date.now, eraseMs = 0 }: { wallClock?: () => number; eraseMs?: number } = {},
  ) {
    this.#clock = clock
    this.#eraseMs = eraseMs
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

  /** The first and the last have numbers beside their own. */
  idOf(record: number): number | undefined {
    const ids = [...this.#entries.keys()]
    if (record === FIRST_RECORD) return ids[0]
    if (record === LAST_RECORD) return ids.at(-1)
    return this.#entries.has(record) ? record : undefined
  }

  entry(record: number): { data: Uint8Array; next: number } | undefined {
    const ids = [...this.#entries.keys()]
    const id = this.idOf(record)
    const at = id === undefined ? -1 : ids.indexOf(id)
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

  delete(record: number): boolean {
    if (!this.#entries.delete(record)) return false
    this.#reservation = 0
    return true
  }

  get erasing(): boolean {
    return this.#clock.now() < this.#erasedAt
  }

  clear(): void {
    this.#entries = new Map()
    this.#erasedAt = this.#clock.now() + this.#eraseMs
    this.#lastErase = this.now()
    this.#reservation = 0
  }
}

export const eventLogRows: ReadonlyArray<[string, Row]> = [
  row(getSelInfo, async (_request, { eventLog }) => ({
    version: VERSION,
    ...eventLog.info(),
    support: { allocationInfo: false, reserve: true, partialAdd: false, delete: true, overflow: false },
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
    if (action === INITIATE) {
      if (!eventLog.isReserved(reservation)) return new Declined(completionCodes.reservationLost)
      eventLog.clear()
    } else if (action !== STATUS) return new Declined(completionCodes.invalidData)
    return { progress: { state: eventLog.erasing ? ERASING : DONE } }
  }),

  row(deleteSelEntry, async ({ reservation, record }, { eventLog }) => {
    if (!eventLog.isReserved(reservation)) return new Declined(completionCodes.reservationLost)
    const found = eventLog.idOf(record)
    if (found === undefined || !eventLog.delete(found)) return new Declined(completionCodes.notPresent)
    return { record: found }
  }),

  row(getSelTime, async (_request, { eventLog }) => ({ seconds: eventLog.now() })),

  row(setSelTime, async ({ seconds }, { eventLog }) => eventLog.setClock(seconds)),

  row(getSelTimeOffset, async (_request, { eventLog }) => ({ minutes: eventLog.offset })),

  row(setSelTimeOffset, async ({ minutes }, { eventLog }) => {
    if (Math.abs(minutes) > MOST_OFFSET && minutes !== UNKNOWN_OFFSET) return new Declined(completionCodes.outOfRange)
    eventLog.offset = minutes
    return undefined
  }),
]
