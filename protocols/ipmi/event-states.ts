import type { LogEntry } from './event-log.ts'

/** What states of sensors mean, and how bad that is: of sensors that are read, and of entries in the event log. */

export type Severity = 'ok' | 'warning' | 'critical'
export interface Meaning {
  text: string
  severity: Severity
}
type States = Readonly<Record<number, readonly [string, Severity]>>

/** Table 42-1: the event type of sensors with thresholds, and of those whose states are of their kind. */
export const THRESHOLD = 0x01
const SENSOR_SPECIFIC = 0x6f

/** Of a reading, in the order of its bits (§35.14). */
export const crossings: ReadonlyArray<readonly [string, Severity]> = [
  ['at or below its lower non-critical threshold', 'warning'],
  ['at or below its lower critical threshold', 'critical'],
  ['at or below its lower non-recoverable threshold', 'critical'],
  ['at or above its upper non-critical threshold', 'warning'],
  ['at or above its upper critical threshold', 'critical'],
  ['at or above its upper non-recoverable threshold', 'critical'],
]

/** Table 42-2: events of thresholds come in pairs, going low and going high. */
const thresholdEvents: States = Object.fromEntries(
  crossings.flatMap((crossing, bit) => [
    [bit * 2, crossing],
    [bit * 2 + 1, crossing],
  ]),
)

/** Table 42-2, by event type: states that sensors of any kind may have. */
const generic: Readonly<Record<number, States>> = {
  [THRESHOLD]: thresholdEvents,
  0x04: { 1: ['predicted to fail', 'warning'] },
  0x05: { 1: ['limit exceeded', 'warning'] },
  0x06: { 1: ['performance lags', 'warning'] },
  0x07: {
    1: ['from OK to not critical', 'warning'],
    2: ['from less severe to critical', 'critical'],
    3: ['from less severe to non-recoverable', 'critical'],
    4: ['from more severe to not critical', 'warning'],
    5: ['from non-recoverable to critical', 'critical'],
    6: ['non-recoverable', 'critical'],
  },
  0x0b: {
    1: ['redundancy lost', 'warning'],
    2: ['redundancy degraded', 'warning'],
    3: ['redundant no more, still enough', 'warning'],
    4: ['not redundant, still enough', 'warning'],
    5: ['not redundant and not enough', 'critical'],
    6: ['redundancy degraded', 'warning'],
    7: ['redundancy degraded from none', 'warning'],
  },
}

/** Table 42-3, by type of sensor, as far as it is about what breaks. */
const specific: Readonly<Record<number, States>> = {
  0x05: { 0: ['chassis opened', 'warning'] },
  0x07: {
    0: ['internal error (IERR)', 'critical'],
    1: ['switched off by its heat', 'critical'],
    2: ['self test failed (FRB1)', 'critical'],
    3: ['hung in its self test (FRB2)', 'critical'],
    4: ['hung at start (FRB3)', 'critical'],
    5: ['configuration error', 'critical'],
    6: ['uncorrectable error', 'critical'],
    8: ['disabled', 'critical'],
    11: ['uncorrectable machine check', 'critical'],
    12: ['correctable machine check', 'warning'],
  },
  0x08: {
    1: ['failed', 'critical'],
    2: ['predicted to fail', 'warning'],
    3: ['has lost its input', 'critical'],
    4: ['has lost its input, or it is out of range', 'critical'],
    5: ['input out of range', 'warning'],
    6: ['configuration error', 'warning'],
  },
  0x09: {
    4: ['AC lost', 'critical'],
    5: ['soft power control failed', 'warning'],
    6: ['power unit failed', 'critical'],
  },
  0x0c: {
    0: ['correctable ECC error', 'warning'],
    1: ['uncorrectable ECC error', 'critical'],
    2: ['parity error', 'critical'],
    3: ['scrubbing failed', 'critical'],
    4: ['device disabled', 'critical'],
    5: ['correctable ECC error limit reached', 'warning'],
    7: ['configuration error', 'warning'],
    10: ['critically hot', 'critical'],
  },
  0x0d: {
    1: ['disk failed', 'critical'],
    2: ['disk predicted to fail', 'warning'],
    5: ['in a critical array', 'warning'],
    6: ['in a failed array', 'critical'],
    8: ['rebuild aborted', 'warning'],
  },
  0x0f: { 0: ['firmware error at start', 'critical'], 1: ['firmware hung', 'critical'] },
  0x10: { 2: ['event log erased', 'ok'], 4: ['event log full', 'warning'], 5: ['event log almost full', 'warning'] },
  0x13: {
    0: ['NMI by the front panel', 'ok'],
    1: ['bus timeout', 'critical'],
    2: ['I/O channel NMI', 'critical'],
    3: ['software NMI', 'warning'],
    4: ['PCI parity error (PERR)', 'critical'],
    5: ['PCI system error (SERR)', 'critical'],
    7: ['correctable bus error', 'warning'],
    8: ['uncorrectable bus error', 'critical'],
    10: ['fatal bus error', 'critical'],
  },
  0x20: { 1: ['the system stopped at run time', 'warning'] },
  0x23: { 0: ['watchdog expired', 'warning'], 1: ['watchdog reset', 'warning'], 2: ['watchdog power off', 'warning'] },
  0x28: { 4: ['sensor failed', 'warning'], 5: ['component failed', 'warning'] },
  0x29: { 0: ['battery low', 'warning'], 1: ['battery failed', 'warning'] },
}

/** Table 42-3: what a sensor is of. */
const types: Readonly<Record<number, string>> = {
  0x01: 'temperature',
  0x02: 'voltage',
  0x03: 'current',
  0x04: 'fan',
  0x05: 'chassis',
  0x07: 'processor',
  0x08: 'power supply',
  0x09: 'power unit',
  0x0b: 'unit',
  0x0c: 'memory',
  0x0d: 'drive slot',
  0x0f: 'firmware',
  0x10: 'event log',
  0x12: 'system event',
  0x13: 'bus',
  0x19: 'chip set',
  0x1d: 'system start',
  0x20: 'system stop',
  0x21: 'slot',
  0x22: 'ACPI power state',
  0x23: 'watchdog',
  0x28: 'BMC',
  0x29: 'battery',
  0x2b: 'version',
}

export function typeName(sensorType: number): string {
  return types[sensorType] ?? `sensor type ${hex(sensorType)}`
}

/** Of a state that is asserted; undefined: it is none that says something is wrong. */
export function meaningOf(sensorType: number, eventType: number, offset: number): Meaning | undefined {
  const states = eventType === SENSOR_SPECIFIC ? specific[sensorType] : generic[eventType]
  const found = states?.[offset]
  return found && { text: found[0], severity: found[1] }
}

type Event = Extract<LogEntry, { kind: 'event' }>

export interface DescribedEntry extends Meaning {
  /** What the entry is about, such as `memory 12`. */
  subject: string
  asserted: boolean
  /** It says that a threshold was crossed, which the sensor itself says better. */
  ofThreshold: boolean
}

/** §32.1: an entry in words; `nameOf` the sensor of an event. */
export function describeEntry(
  entry: LogEntry,
  nameOf: (event: Pick<Event, 'generator' | 'sensor'>) => string | undefined = () => undefined,
): DescribedEntry {
  if (entry.kind === 'oem') {
    const bytes = [...entry.data].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = `record of type ${hex(entry.type)}: ${bytes}`
    return { subject: `record ${hex(entry.type)}`, text, severity: 'ok', asserted: true, ofThreshold: false }
  }
  const { sensorType, sensor, eventType, asserted } = entry
  const offset = (entry.data[0] ?? 0) & 0x0f
  const meaning = meaningOf(sensorType, eventType, offset)
  const subject = nameOf(entry) ?? `${typeName(sensorType)} ${sensor}`
  const what = meaning?.text ?? `state ${offset} of event type ${hex(eventType)}`
  return {
    subject,
    text: `${subject}: ${what}${asserted ? '' : ', no more'}`,
    severity: asserted ? (meaning?.severity ?? 'ok') : 'ok',
    asserted,
    ofThreshold: eventType === THRESHOLD,
  }
}

function hex(value: number): string {
  return `${value.toString(16).toUpperCase().padStart(2, '0')}h`
}
