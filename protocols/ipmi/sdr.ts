import { Reader } from '@bloomery/wire/reader.ts'
import { convert, type Conversion } from './sensor-conversion.ts'
import { readTypeAndLength, readTypedText } from './typed-text.ts'

/** IPMI 2.0 §43: a sensor data record, as far as it says what a reading means.
 *
 *     | id LE2 | version | type | length | what the type has … |
 */
export type SensorRecord =
  | { kind: 'full'; id: number; sensor: SensorName; convert(raw: number): number | undefined }
  | { kind: 'compact' | 'event-only'; id: number; sensor: SensorName }
  | { kind: 'fru'; id: number; device: number; name: string }
  /** OEM records, entity associations and what else there is. */
  | { kind: 'other'; id: number; type: number }

export interface SensorName {
  /** Which controller has it, and under which number. */
  owner: number
  /** In which part of that controller: numbers begin anew in each. */
  lun: number
  number: number
  entity: { id: number; instance: number }
  /** Table 42-3: 1 temperature, 2 voltage, 4 fan … */
  type: number
  /** Table 42-1: 1 means thresholds, others states. */
  eventType: number
  /** Table 43-15: 1 °C, 4 V, 6 W, 18 RPM … */
  unit: number
  name: string
}

export const HEADER = 5
const LUN = 0x03
const types = { full: 0x01, compact: 0x02, eventOnly: 0x03, fru: 0x11 } as const

export function readSensorRecord(bytes: Uint8Array): SensorRecord {
  const body = new Reader(bytes)
  const id = body.u16le()
  body.skip(1)
  const type = body.u8()
  body.skip(1)
  switch (type) {
    case types.full:
      return readFull(id, body)
    case types.compact:
      return { kind: 'compact', id, sensor: readCompact(body) }
    case types.eventOnly:
      return { kind: 'event-only', id, sensor: readEventOnly(body) }
    case types.fru:
      return readFruLocator(id, body)
    default:
      return { kind: 'other', id, type }
  }
}

/** §43.1 */
function readFull(id: number, reader: Reader): SensorRecord {
  const head = readHead(reader)
  const linearization = reader.u8()
  const [m, mTop, b, bTop] = [reader.u8(), reader.u8(), reader.u8(), reader.u8()]
  reader.skip(1)
  const exponents = reader.u8()
  const conversion: Conversion = {
    format: head.units >> 6,
    linearization: linearization & 0x7f,
    m: signed(m | ((mTop & 0xc0) << 2), 10),
    b: signed(b | ((bTop & 0xc0) << 2), 10),
    resultExponent: signed(exponents >> 4, 4),
    bExponent: signed(exponents & 0xf, 4),
  }
  reader.skip(17)
  const sensor = { ...head.sensor, name: readName(reader) }
  return { kind: 'full', id, sensor, convert: (raw) => convert(conversion, raw) }
}

/** §43.2 */
function readCompact(reader: Reader): SensorName {
  const { sensor } = readHead(reader)
  reader.skip(8)
  return { ...sensor, name: readName(reader) }
}

/** §43.3 */
function readEventOnly(reader: Reader): SensorName {
  const [owner, of, number] = [reader.u8(), reader.u8(), reader.u8()]
  const entity = { id: reader.u8(), instance: reader.u8() }
  const [type, eventType] = [reader.u8(), reader.u8()]
  reader.skip(4)
  return { owner, lun: of & LUN, number, entity, type, eventType, unit: 0, name: readName(reader) }
}

/** §43.8 */
function readFruLocator(id: number, reader: Reader): SensorRecord {
  reader.skip(1)
  const device = reader.u8()
  reader.skip(8)
  return { kind: 'fru', id, device, name: readName(reader) }
}

/** What full and compact records have in common. */
function readHead(reader: Reader): { sensor: Omit<SensorName, 'name'>; units: number } {
  const [owner, of, number] = [reader.u8(), reader.u8(), reader.u8()]
  const entity = { id: reader.u8(), instance: reader.u8() }
  reader.skip(2)
  const [type, eventType] = [reader.u8(), reader.u8()]
  reader.skip(6)
  const [units, unit] = [reader.u8(), reader.u8()]
  reader.skip(1)
  return { sensor: { owner, lun: of & LUN, number, entity, type, eventType, unit }, units }
}

function readName(reader: Reader): string {
  return readTypedText(reader, readTypeAndLength(reader.u8()))
}

function signed(value: number, bits: number): number {
  return value >= 1 << (bits - 1) ? value - (1 << bits) : value
}
