import { WireError } from '@bloomery/wire/error.ts'
import type { IpmiSession } from './client.ts'
import type { ResponseOf } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { CommandFailed, MalformedAnswer } from './error.ts'
import { FIRST_RECORD, LAST_RECORD } from './event-log-commands.ts'
import { THRESHOLD } from './event-states.ts'
import { HEADER, readSensorRecord, type SensorName, type SensorRecord } from './sdr.ts'
import { getSdr, getSdrRepositoryInfo, getSensorReading, reserveSdrRepository } from './sensor-commands.ts'

/** `value` is undefined for states, and where the sensor can't be read now (a fan of a machine that is off). */
export interface SensorReading {
  sensor: SensorName
  value: number | undefined
  /** Thresholds crossed, or states asserted. */
  states: number
}

/** BMCs have some hundreds. */
const MOST_RECORDS = 4096
/** Every BMC can send so many bytes of a record at once. */
const PART = 16
const RESERVATIONS = 5

/** The same while the repository is (IPMI 2.0 §33.9): who keeps its records need not read them again. */
export async function readRepositoryStamp(session: IpmiSession): Promise<string> {
  const { records, lastAddition, lastErase } = await session.send(getSdrRepositoryInfo, undefined)
  return `${records} ${lastAddition} ${lastErase}`
}

/** All records as they are kept, hundreds of round trips for a large server. */
export async function readRepository(session: IpmiSession): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  const reservation: Reservation = { number: undefined }
  for (let id = FIRST_RECORD; id !== LAST_RECORD;) {
    if (records.length >= MOST_RECORDS) throw malformed(session, `more than ${MOST_RECORDS} sensor records`)
    const { bytes, next } = await readRecord(session, reservation, id)
    records.push(bytes)
    id = next
  }
  return records
}

export async function readSensorRecords(session: IpmiSession): Promise<SensorRecord[]> {
  return (await readRepository(session)).map((bytes) => decode(session, bytes))
}

export async function readSensors(session: IpmiSession): Promise<SensorReading[]> {
  return readSensorsOf(session, await readSensorRecords(session))
}

export async function readSensorsOf(session: IpmiSession, records: readonly SensorRecord[]): Promise<SensorReading[]> {
  const readings: SensorReading[] = []
  for (const record of records) {
    if (record.kind !== 'full' && record.kind !== 'compact') continue
    const reading = await read(session, record.sensor)
    if (!reading) continue
    const { flags, states = 0, moreStates = 0 } = reading
    // §35.14: a state of each bit, the first in the lowest. Of thresholds there are six, in the first byte.
    const asserted = record.sensor.eventType === THRESHOLD ? states : states | ((moreStates & 0x7f) << 8)
    const readable = !flags.unavailable && flags.scanning && record.kind === 'full'
    const value = readable ? record.convert(reading.reading) : undefined
    // §35.14: what is unavailable has no states either, whatever the bytes say.
    readings.push({ sensor: record.sensor, value, states: flags.unavailable || !flags.scanning ? 0 : asserted })
  }
  return readings
}

/** A record that another controller has, or a card that was pulled, is no reason to lose the others. */
function read(
  session: IpmiSession,
  { number, lun }: SensorName,
): Promise<ResponseOf<typeof getSensorReading> | undefined> {
  return session.send(getSensorReading, { number }, { lun }).catch((error: unknown) => {
    if (error instanceof CommandFailed) return undefined
    throw error
  })
}

/** One does for all records, until somebody else's ends it. */
interface Reservation {
  number: number | undefined
}

/** Somebody else's reservation ends ours (§33.11): begin again, a few times. */
async function readRecord(
  session: IpmiSession,
  held: Reservation,
  id: number,
): Promise<{ bytes: Uint8Array; next: number }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      held.number ??= (await session.send(reserveSdrRepository, undefined)).reservation
      return await readParts(session, held.number, id)
    } catch (error) {
      held.number = undefined
      const lost = error instanceof CommandFailed && error.completionCode === completionCodes.reservationLost
      if (!lost || attempt === RESERVATIONS) throw error
    }
  }
}

async function readParts(
  session: IpmiSession,
  reservation: number,
  record: number,
): Promise<{ bytes: Uint8Array; next: number }> {
  const head = await session.send(getSdr, { reservation, record, offset: 0, count: HEADER })
  const length = HEADER + (head.data[HEADER - 1] ?? 0)
  const parts = [head.data.subarray(0, HEADER)]
  for (let offset = HEADER; offset < length; offset += PART) {
    const count = Math.min(PART, length - offset)
    const { data } = await session.send(getSdr, { reservation, record, offset, count })
    if (data.length !== count)
      throw malformed(session, `${data.length} bytes of a record where ${count} were asked for`)
    parts.push(data)
  }
  return { bytes: Buffer.concat(parts), next: head.next }
}

function decode(session: IpmiSession, bytes: Uint8Array): SensorRecord {
  try {
    return readSensorRecord(bytes)
  } catch (error) {
    throw error instanceof WireError ? malformed(session, error.message) : error
  }
}

function malformed({ host, port }: IpmiSession, problem: string): MalformedAnswer {
  return new MalformedAnswer({ host, port, operation: getSdr.name }, new WireError(problem))
}
