import { Reader } from '@bloomery/wire/reader.ts'
import { WireError } from '@bloomery/wire/error.ts'
import type { IpmiSession } from './client.ts'
import { completionCodes } from './completion-code.ts'
import { pause } from './exchange.ts'
import { type Clock, systemClock } from './clock.ts'
import { CommandFailed, IpmiError, MalformedAnswer } from './error.ts'
import {
  clearSel,
  FIRST_RECORD,
  getSelEntry,
  getSelInfo,
  getSelTime,
  getSelTimeOffset,
  LAST_RECORD,
  reserveSel,
  setSelTime,
  setSelTimeOffset,
  UNKNOWN_OFFSET,
} from './event-log-commands.ts'

/** IPMI 2.0 §32. `seconds` since 1970 by the BMC's clock. */
export type LogEntry =
  | {
      kind: 'event'
      id: number
      seconds: number
      generator: number
      sensorType: number
      sensor: number
      /** Whether the state came or went. */
      asserted: boolean
      eventType: number
      data: Uint8Array
    }
  /** A vendor's own; types E0 and above have no time. */
  | { kind: 'oem'; id: number; type: number; seconds: number | undefined; data: Uint8Array }

const WHOLE = 0xff
const EVENT = 0x02
const TIMELESS = 0xe0
const [INITIATE, STATUS, DONE] = [0xaa, 0x00, 1]
const CLEAR_TRIES = 30
const CLEAR_PAUSE = 1000

/** At most `most` entries, from the oldest on: a log can have thousands, at one round trip each. */
export async function readEventLog(session: IpmiSession, most: number): Promise<LogEntry[]> {
  const { entries: kept } = await session.send(getSelInfo, undefined)
  const entries: LogEntry[] = []
  // A log that is empty declines to show its first entry.
  if (kept === 0) return entries
  for (let record = FIRST_RECORD; record !== LAST_RECORD && entries.length < most;) {
    const { next, data } = await session.send(getSelEntry, { reservation: 0, record, offset: 0, count: WHOLE })
    entries.push(decode(session, data))
    record = next
  }
  return entries
}

/** §31.9: erasing takes a BMC seconds, so it is begun, then asked after. */
export async function clearEventLog(session: IpmiSession, clock: Clock = systemClock): Promise<void> {
  const { reservation } = await session.send(reserveSel, undefined)
  const ask = (action: number) => session.send(clearSel, { reservation, magic: Buffer.from('CLR'), action })
  let { progress } = await ask(INITIATE)
  for (let tries = 0; progress.state !== DONE; tries += 1) {
    if (tries === CLEAR_TRIES) throw unfinished(session)
    await pause(clock, CLEAR_PAUSE)
    progress = (await ask(STATUS).catch(ended)).progress
  }
}

export async function readClock(session: IpmiSession): Promise<Date> {
  const ahead = await readOffset(session)
  const { seconds } = await session.send(getSelTime, undefined)
  return new Date((seconds - ahead * 60) * 1000)
}

/** `offset`: minutes that the BMC's own time is to be ahead of UTC; without it, it stays as it is. */
export async function setClock(session: IpmiSession, time: Date, offset?: number): Promise<void> {
  if (offset !== undefined) await session.send(setSelTimeOffset, { minutes: offset })
  const ahead = offset ?? (await readOffset(session))
  await session.send(setSelTime, { seconds: Math.floor(time.getTime() / 1000) + ahead * 60 })
}

/** §31.11a; most BMCs have no such command, or were never told: then their time is UTC, by use. */
async function readOffset(session: IpmiSession): Promise<number> {
  try {
    const { minutes } = await session.send(getSelTimeOffset, undefined)
    return minutes === UNKNOWN_OFFSET ? 0 : minutes
  } catch (error) {
    if (error instanceof CommandFailed) return 0
    throw error
  }
}

export function readLogEntry(bytes: Uint8Array): LogEntry {
  const reader = new Reader(bytes)
  const [id, type] = [reader.u16le(), reader.u8()]
  if (type >= TIMELESS) return { kind: 'oem', id, type, seconds: undefined, data: reader.bytes(13) }
  const seconds = reader.u32le()
  if (type !== EVENT) return { kind: 'oem', id, type, seconds, data: reader.bytes(9) }
  const generator = reader.u16le()
  reader.skip(1)
  const [sensorType, sensor, event] = [reader.u8(), reader.u8(), reader.u8()]
  const [asserted, eventType] = [(event & 0x80) === 0, event & 0x7f]
  return { kind: 'event', id, seconds, generator, sensorType, sensor, asserted, eventType, data: reader.bytes(3) }
}

/** Some BMCs end the reservation with the erasure that it was for. */
function ended(error: unknown): { progress: { state: number } } {
  if (error instanceof CommandFailed && error.completionCode === completionCodes.reservationLost)
    return { progress: { state: DONE } }
  throw error
}

function unfinished({ host, port }: IpmiSession): IpmiError {
  const seconds = (CLEAR_TRIES * CLEAR_PAUSE) / 1000
  const problem = `the event log is still being erased after ${seconds} s; look again later, or reset the BMC`
  return new IpmiError({ host, port, operation: clearSel.name }, problem)
}

function decode({ host, port }: IpmiSession, bytes: Uint8Array): LogEntry {
  try {
    return readLogEntry(bytes)
  } catch (error) {
    throw error instanceof WireError ? new MalformedAnswer({ host, port, operation: getSelEntry.name }, error) : error
  }
}
