import { Declined, type Inventory } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import type { ResponseOf } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { numberOf } from './sensor-conversion.ts'
import {
  eventChanges,
  getSensorEvents,
  getSensorHysteresis,
  getSensorThresholds,
  setSensorEvents,
  setSensorHysteresis,
  setSensorThresholds,
} from './sensor-commands.ts'

type Sensor = Inventory['sensors'][number]
type Thresholds = ResponseOf<typeof getSensorThresholds>
type Mask = Thresholds['readable']
type Name = keyof Mask

interface Settings {
  record: Uint8Array
  thresholds: Thresholds
  settable: Mask
  hysteresis: { positive: number; negative: number }
  scanning: boolean
  events: boolean
  /** The events that a sensor of its kind can have. */
  possible: number
  assertions: number
  deassertions: number
}

/** Where a full record has what a sensor starts with (IPMI 2.0 §43.1), counted from 0. */
const at = {
  type: 3,
  number: 7,
  capabilities: 11,
  eventType: 13,
  assertions: 14,
  deassertions: 16,
  settable: 19,
  readable: 18,
  format: 20,
  thresholds: 36,
  hysteresis: 42,
}
const [FULL, COMPACT] = [0x01, 0x02]
/** §43: the types that name a sensor which can be read. */
const READABLE: ReadonlySet<number | undefined> = new Set([FULL, COMPACT])
const BY_THRESHOLDS = 0x01
/** §35.10: thresholds have 12 events, states 15. */
const [THRESHOLD_EVENTS, STATE_EVENTS] = [0x0fff, 0x7fff]
/** In the order of the masks' bits; the record has them from the highest on. */
const names: readonly Name[] = [
  'lowerNonCritical',
  'lowerCritical',
  'lowerNonRecoverable',
  'upperNonCritical',
  'upperCritical',
  'upperNonRecoverable',
]
const inRecord: readonly Name[] = [
  'upperNonRecoverable',
  'upperCritical',
  'upperNonCritical',
  'lowerNonRecoverable',
  'lowerCritical',
  'lowerNonCritical',
]

/** What can be set of a BMC's sensors: at first, as their records say. */
export class SensorSettings {
  readonly #bySensor = new Map<number, Settings>()

  constructor(sensors: readonly Sensor[]) {
    for (const { record } of sensors)
      if (READABLE.has(record[at.type])) this.#bySensor.set(record[at.number] ?? 0, initial(record))
  }

  of(number: number): Settings | undefined {
    return this.#bySensor.get(number)
  }

  /** §35.14: the thresholds that a reading is beyond; undefined where the sensor has none to compare with. */
  crossed(number: number, raw: number): number | undefined {
    const settings = this.of(number)
    if (!settings || !names.some((name) => settings.thresholds.readable[name])) return undefined
    const format = (settings.record[at.format] ?? 0) >> 6
    const value = (byte: number): number => numberOf(format, byte) ?? byte
    return names.reduce((bits, name, bit) => {
      if (!settings.thresholds.readable[name]) return bits
      const limit = value(settings.thresholds[name])
      const beyond = name.startsWith('lower') ? value(raw) <= limit : value(raw) >= limit
      return beyond ? bits | (1 << bit) : bits
    }, 0)
  }
}

function initial(record: Uint8Array): Settings {
  const byThresholds = record[at.type] === FULL && record[at.eventType] === BY_THRESHOLDS
  const byte = (where: number): number => (byThresholds ? (record[where] ?? 0) : 0)
  const possible = record[at.eventType] === BY_THRESHOLDS ? THRESHOLD_EVENTS : STATE_EVENTS
  const word = (where: number): number => ((record[where] ?? 0) | ((record[where + 1] ?? 0) << 8)) & possible
  const values = inRecord.map((name, index): [Name, number] => [name, byte(at.thresholds + index)])
  return {
    record,
    possible,
    thresholds: { readable: maskOf(byte(at.readable)), ...(Object.fromEntries(values) as Record<Name, number>) },
    settable: maskOf(byte(at.settable)),
    hysteresis: { positive: byte(at.hysteresis), negative: byte(at.hysteresis + 1) },
    scanning: true,
    events: true,
    assertions: word(at.assertions),
    deassertions: word(at.deassertions),
  }
}

function maskOf(byte: number): Mask {
  return Object.fromEntries(names.map((name, bit) => [name, ((byte >> bit) & 1) === 1])) as Mask
}

export const sensorSettingRows: ReadonlyArray<[string, Row]> = [
  row(getSensorThresholds, async ({ number }, { sensorSettings }) => {
    const settings = sensorSettings.of(number)
    if (!settings) return notPresent
    return settings.record[at.eventType] === BY_THRESHOLDS ? settings.thresholds : illegal
  }),

  row(setSensorThresholds, async ({ number, change, ...values }, { sensorSettings }) => {
    const settings = sensorSettings.of(number)
    if (!settings) return notPresent
    const wanted = names.filter((name) => change[name])
    if (wanted.some((name) => !settings.settable[name])) return illegal
    Object.assign(settings.thresholds, Object.fromEntries(wanted.map((name) => [name, values[name]])))
    return undefined
  }),

  row(getSensorHysteresis, async ({ number }, { sensorSettings }) => {
    const settings = sensorSettings.of(number)
    if (!settings) return notPresent
    return hysteresisOf(settings) === 0 ? illegal : settings.hysteresis
  }),

  row(setSensorHysteresis, async ({ number, positive, negative }, { sensorSettings }) => {
    const settings = sensorSettings.of(number)
    if (!settings) return notPresent
    if (hysteresisOf(settings) !== SETTABLE) return illegal
    settings.hysteresis = { positive, negative }
    return undefined
  }),

  row(getSensorEvents, async ({ number }, { sensorSettings }) => {
    const settings = sensorSettings.of(number)
    return settings ? { flags: settings, ...settings } : notPresent
  }),

  row(setSensorEvents, async ({ number, flags, assertions = 0, deassertions = 0 }, { sensorSettings }) => {
    const settings = sensorSettings.of(number)
    if (!settings) return notPresent
    const { change, scanning, events } = flags
    const changed = (now: number, mask: number): number => {
      if (change === eventChanges.enable) return now | mask
      return change === eventChanges.disable ? now & ~mask : now
    }
    Object.assign(settings, { scanning, events })
    settings.assertions = changed(settings.assertions, assertions & settings.possible)
    settings.deassertions = changed(settings.deassertions, deassertions & settings.possible)
    return undefined
  }),
]

const notPresent = new Declined(completionCodes.notPresent)
const illegal = new Declined(completionCodes.illegalForSensor)

const SETTABLE = 2
/** §43.1, byte 12: 0 none, 1 readable, 2 settable too, 3 fixed. */
function hysteresisOf({ record }: Settings): number {
  return ((record[at.capabilities] ?? 0) >> 4) & 3
}
