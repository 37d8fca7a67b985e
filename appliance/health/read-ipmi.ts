import { z } from 'zod'
import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { readPowerReading } from '@bloomery/ipmi/dcmi.ts'
import { CommandFailed } from '@bloomery/ipmi/error.ts'
import type { LogEntry } from '@bloomery/ipmi/event-log.ts'
import { readLogTail } from '@bloomery/ipmi/event-log-tail.ts'
import { crossings, describeEntry, meaningOf, THRESHOLD } from '@bloomery/ipmi/event-states.ts'
import { readSensorRecord, type SensorName, type SensorRecord } from '@bloomery/ipmi/sdr.ts'
import { getSensorThresholds } from '@bloomery/ipmi/sensor-commands.ts'
import {
  readRepository,
  readRepositoryStamp,
  readSensorsOf,
  type SensorReading as Raw,
} from '@bloomery/ipmi/sensors.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { MOST_READINGS, type SensorKind, type SensorReading, worst } from '../../contract/health.ts'
import { type Ailment, clip, type Entry, type Look, type Ask, politely, severities } from './look.ts'

/** Sensors, power draw and event log of a BMC over IPMI. The sensors' records are read once: they are hundreds of round trips. */

const kept = z.object({
  stamp: z.string(),
  /** Of the sensors that are looked at, base64. */
  records: z.array(z.string().max(512)).max(MOST_READINGS),
  mark: z
    .object({
      entries: z.int(),
      lastAddition: z.int(),
      lastErase: z.int(),
      last: z.object({ id: z.int(), hex: z.string().max(64) }).optional(),
    })
    .optional(),
})
type Kept = z.infer<typeof kept>

/** §5.2: the address of the BMC itself; sensors of others have to be bridged to. */
const BMC = 0x20
/** Of the log in one look; what is beyond comes with the next. */
const MOST_ENTRIES = 64

export async function readIpmiHealth(session: IpmiSession, before: string | null, ask: Ask): Promise<Look> {
  const bmc = politely(session, ['send'], ask)
  const known = before === null ? undefined : kept.safeParse(JSON.parse(before)).data
  const repository = await recordsOf(bmc, known)
  const sensors = repository.records.map((text) => readSensorRecord(Buffer.from(text, 'base64')))
  const names = new Map(sensors.flatMap((each) => ('sensor' in each ? [[keyOf(each.sensor), each.sensor.name]] : [])))
  const raw = await readSensorsOf(bmc, sensors)
  const readings = raw.map((each) => readingOf(each))
  const ailments = await ailmentsOf(bmc, raw, sensors)
  const watts = await drawn(bmc)
  const tail = await unlessDeclined(() => readLogTail(bmc, known?.mark, MOST_ENTRIES))
  return {
    readings,
    watts,
    ailments,
    log: { entries: tail?.entries.map((entry) => entryOf(entry, names)) ?? [], erased: tail?.erased ?? false },
    kept: JSON.stringify({ ...repository, mark: tail?.mark }),
  }
}

async function recordsOf(bmc: IpmiSession, known: Kept | undefined): Promise<Pick<Kept, 'stamp' | 'records'>> {
  const stamp = (await unlessDeclined(() => readRepositoryStamp(bmc))) ?? '0'
  if (known?.stamp === stamp) return { stamp, records: known.records }
  if (/^0( |$)/.test(stamp)) return { stamp, records: [] }
  const records = (await readRepository(bmc)).filter(isOurs).slice(0, MOST_READINGS)
  return { stamp, records: records.map((bytes) => Buffer.from(bytes).toString('base64')) }
}

/** A record that can't be read is a sensor less, no more. */
function isOurs(bytes: Uint8Array): boolean {
  try {
    const record = readSensorRecord(bytes)
    return (record.kind === 'full' || record.kind === 'compact') && record.sensor.owner === BMC
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

/** Undefined where the BMC doesn't have this. */
async function unlessDeclined<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof CommandFailed) return undefined
    throw error
  }
}

async function drawn(bmc: IpmiSession): Promise<number | null> {
  return (await unlessDeclined(() => readPowerReading(bmc)))?.watts ?? null
}

/** Tables 42-3 and 43-15, as far as there is anything to show. */
const kinds: Readonly<Record<number, SensorKind>> = {
  0x01: 'temperature',
  0x02: 'voltage',
  0x03: 'current',
  0x04: 'fan',
}
const units: Readonly<Record<number, string>> = { 1: '°C', 2: '°F', 4: 'V', 5: 'A', 6: 'W', 18: 'RPM' }
const [FAHRENHEIT, WATTS] = [2, 6]

function readingOf(raw: Raw): SensorReading {
  const { sensor, value } = raw
  const analogue = sensor.eventType === THRESHOLD
  const kind = sensor.unit === WATTS && analogue ? 'power' : analogue ? (kinds[sensor.type] ?? 'other') : 'state'
  const fahrenheit = sensor.unit === FAHRENHEIT && value !== undefined
  const shownValue = fahrenheit ? (value - 32) / 1.8 : value
  return {
    name: clip(sensor.name, 64) || `sensor ${sensor.number}`,
    kind,
    value: shownValue === undefined || !Number.isFinite(shownValue) ? null : Math.round(shownValue * 1000) / 1000,
    unit: fahrenheit ? '°C' : analogue ? (units[sensor.unit] ?? '') : '',
    level: worst(wrongs(raw).map(({ severity }) => severities[severity])),
  }
}

interface Wrong {
  bit: number
  text: string
  severity: 'ok' | 'warning' | 'critical'
}

/** Of the states that a sensor shows, those that say that something is wrong. */
function wrongs({ sensor, states }: Raw): Wrong[] {
  const found: Wrong[] = []
  for (let bit = 0; bit < 15; bit += 1) {
    if (((states >> bit) & 1) === 0) continue
    // §35.14: of thresholds there are six; the other bits are reserved, and often set.
    const threshold = sensor.eventType === THRESHOLD
    const crossing = threshold ? crossings[bit] : undefined
    const meaning = threshold
      ? crossing && { text: crossing[0], severity: crossing[1] }
      : meaningOf(sensor.type, sensor.eventType, bit)
    if (meaning && meaning.severity !== 'ok') found.push({ bit, ...meaning })
  }
  return found
}

async function ailmentsOf(bmc: IpmiSession, all: readonly Raw[], records: readonly SensorRecord[]): Promise<Ailment[]> {
  const found: Ailment[] = []
  for (const raw of all) {
    const wrong = wrongs(raw)
    const level = worst(wrong.map(({ severity }) => severities[severity]))
    const chief = wrong.findLast(({ severity }) => severities[severity] === level)
    if (!chief || level === 'OK') continue
    const { sensor, value } = raw
    const name = clip(sensor.name, 64) || `sensor ${sensor.number}`
    const unit = units[sensor.unit] ?? ''
    const text =
      sensor.eventType === THRESHOLD
        ? `${name}: ${shown(value, unit)}${chief.text}${await limitText(bmc, sensor, chief.bit, records, unit)}`
        : `${name}: ${chief.text}`
    found.push({ subject: clip(`sensor ${name}`, 128), level, text: clip(text, 256) })
  }
  return found
}

function shown(value: number | undefined, unit: string): string {
  return value === undefined ? '' : `${Math.round(value * 100) / 100} ${unit}`.trim() + ', '
}

const limits = [
  'lowerNonCritical',
  'lowerCritical',
  'lowerNonRecoverable',
  'upperNonCritical',
  'upperCritical',
  'upperNonRecoverable',
] as const

/** The threshold as it is set now, which is not always what the record says. */
async function limitText(
  bmc: IpmiSession,
  sensor: SensorName,
  bit: number,
  records: readonly SensorRecord[],
  unit: string,
): Promise<string> {
  const limit = limits[bit]
  const record = records.find((each) => each.kind === 'full' && keyOf(each.sensor) === keyOf(sensor))
  if (limit === undefined || record?.kind !== 'full') return ''
  const set = await unlessDeclined(() => bmc.send(getSensorThresholds, { number: sensor.number }, { lun: sensor.lun }))
  const value = set?.readable[limit] ? record.convert(set[limit]) : undefined
  return value === undefined ? '' : ` of ${Math.round(value * 100) / 100} ${unit}`.trimEnd()
}

/** §37.1: smaller numbers are seconds since the BMC started, larger ones nobody knows. */
const [EARLIEST, UNKNOWN] = [0x2000_0000, 0xffff_ffff]

/** Of sensors of the BMC itself. */
function keyOf({ lun, number }: Pick<SensorName, 'lun' | 'number'>): number {
  return (lun << 8) | number
}

function entryOf(entry: LogEntry, names: ReadonlyMap<number, string>): Entry {
  // §32.1: firmware and other controllers number what they tell of by themselves.
  const told = describeEntry(entry, ({ generator, sensor }) =>
    (generator & 0xff) === BMC ? names.get(keyOf({ lun: (generator >> 8) & 3, number: sensor })) : undefined,
  )
  const { seconds } = entry
  const dated = seconds !== undefined && seconds > EARLIEST && seconds < UNKNOWN
  const subject = clip(`log ${told.subject}`, 128)
  const level = severities[told.severity]
  return {
    at: dated ? new Date(seconds * 1000).toISOString() : null,
    level,
    text: clip(told.text, 256),
    blames: level !== 'OK' && !told.ofThreshold ? subject : undefined,
    absolves: told.asserted ? undefined : subject,
  }
}
