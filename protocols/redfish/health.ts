import type { Redfish } from './client.ts'
import { members } from './collection.ts'
import { booleanAt, type JsonObject, linkAt, linksAt, listAt, numberAt, objectOf, textAt } from './json.ts'
import { offered } from './offered.ts'
import { readSystem, type System } from './system.ts'

/** What a BMC measures in a machine, and what it says of its parts. */

export type HealthKind = 'temperature' | 'fan' | 'voltage' | 'current' | 'power' | 'other'
export type HealthWord = 'OK' | 'Warning' | 'Critical'

export interface Measured {
  name: string
  kind: HealthKind
  value: number | undefined
  units: string
  health: HealthWord
  /** The threshold that it is beyond, in words and as a number. */
  beyond: { limit: string; value: number } | undefined
}

export interface Part {
  what: 'power supply' | 'drive' | 'system'
  name: string
  health: HealthWord
  /** Of a drive that says that it will fail; of a power supply without input. */
  trouble: 'predicted to fail' | 'has lost its input' | undefined
}

export interface Checkup {
  measured: Measured[]
  parts: Part[]
  /** Undefined: they were not looked at. */
  drives: Part[] | undefined
}

interface Row {
  list: string
  kind: HealthKind
  value: string
  units: string
}

/** Thermal and Power: deprecated in 2020.4, in most machines, and all of it in two requests. */
const older: Readonly<Record<'Thermal' | 'Power', readonly Row[]>> = {
  Thermal: [
    { list: 'Temperatures', kind: 'temperature', value: 'ReadingCelsius', units: 'Cel' },
    { list: 'Fans', kind: 'fan', value: 'Reading', units: 'RPM' },
  ],
  Power: [
    { list: 'PowerControl', kind: 'power', value: 'PowerConsumedWatts', units: 'W' },
    { list: 'Voltages', kind: 'voltage', value: 'ReadingVolts', units: 'V' },
  ],
}

const readingTypes: Readonly<Record<string, HealthKind>> = {
  Temperature: 'temperature',
  Rotational: 'fan',
  Power: 'power',
  Voltage: 'voltage',
  Current: 'current',
}

const MOST_CHASSIS = 4
const MOST_DRIVES = 64

/** `deep`: the drives too, a request for each; they are also looked at when the system as a whole is not well. */
export async function readHealth(bmc: Redfish, system: System, deep: boolean): Promise<Checkup> {
  const operation = 'read health'
  const { body } = await readSystem(bmc, system, operation)
  const whole = healthAt(body, 'HealthRollup') ?? healthAt(body, 'Health') ?? 'OK'
  const found: Checkup = { measured: [], parts: [], drives: undefined }
  for (const path of linksAt(body, 'Links', 'Chassis').slice(0, MOST_CHASSIS)) {
    const chassis = (await bmc.get(path, operation)).body
    const { measured, parts } = await chassisHealth(bmc, chassis, operation)
    found.measured.push(...measured)
    found.parts.push(...parts)
  }
  if (deep || whole !== 'OK') found.drives = await driveHealth(bmc, linkAt(body, 'Storage'), operation)
  // What the parts say is nearer to the cause than what the system says of all of them.
  const told = [...found.measured, ...found.parts, ...(found.drives ?? [])].some(({ health }) => health !== 'OK')
  if (whole !== 'OK' && !told)
    found.parts.push({ what: 'system', name: 'as a whole', health: whole, trouble: undefined })
  return found
}

async function chassisHealth(
  bmc: Redfish,
  chassis: JsonObject,
  operation: string,
): Promise<Pick<Checkup, 'measured' | 'parts'>> {
  const thermal = await linked(bmc, chassis, 'Thermal', operation)
  const power = await linked(bmc, chassis, 'Power', operation)
  const measured = [...olderReadings('Thermal', thermal), ...olderReadings('Power', power)]
  const sensors = linkAt(chassis, 'Sensors')
  if (measured.length === 0 && sensors !== undefined)
    measured.push(...(await members(bmc, sensors, operation)).flatMap((each) => sensorOf(each.body)))
  return { measured, parts: await supplies(bmc, chassis, power, operation) }
}

/** Undefined where this BMC has none, whatever it links to. */
async function linked(bmc: Redfish, from: JsonObject, key: string, operation: string): Promise<JsonObject | undefined> {
  const path = linkAt(from, key)
  return path === undefined ? undefined : offered(async () => (await bmc.get(path, operation)).body)
}

function olderReadings(resource: 'Thermal' | 'Power', body: JsonObject | undefined): Measured[] {
  return older[resource].flatMap(({ list, kind, value: key, units }) =>
    listAt(body, list).flatMap((entry): Measured[] => {
      const of = objectOf(entry)
      if (!of || isAbsent(of)) return []
      const value = numberAt(of, key)
      return [measuredOf(of, { kind, value, units: textAt(of, 'ReadingUnits') ?? units, limits: olderLimits(of) })]
    }),
  )
}

function sensorOf(body: JsonObject): Measured[] {
  if (isAbsent(body)) return []
  const kind = readingTypes[textAt(body, 'ReadingType') ?? ''] ?? 'other'
  const limit = (key: string): number | undefined => numberAt(body, 'Thresholds', key, 'Reading')
  const limits: Limits = {
    upper: [limit('UpperCaution'), limit('UpperCritical'), limit('UpperFatal')],
    lower: [limit('LowerCaution'), limit('LowerCritical'), limit('LowerFatal')],
  }
  return [
    measuredOf(body, { kind, value: numberAt(body, 'Reading'), units: textAt(body, 'ReadingUnits') ?? '', limits }),
  ]
}

/** Warning, critical, fatal. */
type Three = readonly [number | undefined, number | undefined, number | undefined]
interface Limits {
  upper: Three
  lower: Three
}

function olderLimits(body: JsonObject): Limits {
  const three = (side: 'Upper' | 'Lower'): Three => [
    numberAt(body, `${side}ThresholdNonCritical`),
    numberAt(body, `${side}ThresholdCritical`),
    numberAt(body, `${side}ThresholdFatal`),
  ]
  return { upper: three('Upper'), lower: three('Lower') }
}

const degrees = ['caution', 'critical', 'fatal'] as const
const words: readonly HealthWord[] = ['Warning', 'Critical', 'Critical']

function measuredOf(
  body: JsonObject,
  { kind, value, units, limits }: { kind: HealthKind; value: number | undefined; units: string; limits: Limits },
): Measured {
  const name = textAt(body, 'Name') ?? textAt(body, 'FanName') ?? textAt(body, 'MemberId') ?? textAt(body, 'Id') ?? kind
  const told = healthAt(body, 'Health') ?? 'OK'
  const crossed = value === undefined ? undefined : beyond(value, limits)
  const health = crossed && told === 'OK' ? crossed.health : told
  return { name, kind, value, units, health, beyond: crossed && { limit: crossed.limit, value: crossed.value } }
}

/** The severest. A threshold of 0 that a reading is not above is how BMCs say that there is none. */
function beyond(
  value: number,
  { upper, lower }: Limits,
): { limit: string; value: number; health: HealthWord } | undefined {
  for (const at of [2, 1, 0] as const) {
    const [high, low] = [upper[at], lower[at]]
    const health = words[at] ?? 'Critical'
    if (high !== undefined && high !== 0 && value >= high)
      return { limit: `at or above its upper ${degrees[at]} threshold`, value: high, health }
    if (low !== undefined && low !== 0 && value <= low)
      return { limit: `at or below its lower ${degrees[at]} threshold`, value: low, health }
  }
  return undefined
}

async function supplies(
  bmc: Redfish,
  chassis: JsonObject,
  power: JsonObject | undefined,
  operation: string,
): Promise<Part[]> {
  const old = listAt(power, 'PowerSupplies').map(objectOf)
  if (old.length > 0) return old.flatMap((each) => (each ? supplyOf(each) : []))
  const subsystem = await linked(bmc, chassis, 'PowerSubsystem', operation)
  const collection = linkAt(subsystem, 'PowerSupplies')
  const found = collection === undefined ? undefined : await offered(() => members(bmc, collection, operation))
  return (found ?? []).flatMap(({ body }) => supplyOf(body))
}

function supplyOf(body: JsonObject): Part[] {
  if (isAbsent(body)) return []
  const name = textAt(body, 'Name') ?? textAt(body, 'MemberId') ?? 'of no name'
  const health = healthAt(body, 'Health') ?? 'OK'
  if (numberAt(body, 'LineInputVoltage') === 0)
    return [{ what: 'power supply', name, health: 'Critical', trouble: 'has lost its input' }]
  return [{ what: 'power supply', name, health, trouble: undefined }]
}

async function driveHealth(bmc: Redfish, storage: string | undefined, operation: string): Promise<Part[]> {
  const controllers = storage === undefined ? undefined : await offered(() => members(bmc, storage, operation))
  const paths = (controllers ?? []).flatMap(({ body }) => linksAt(body, 'Drives')).slice(0, MOST_DRIVES)
  const parts: Part[] = []
  for (const path of paths) {
    const body = await offered(async () => (await bmc.get(path, operation)).body)
    if (!body || isAbsent(body)) continue
    const name = textAt(body, 'Name') ?? textAt(body, 'Id') ?? path
    const told = healthAt(body, 'Health') ?? 'OK'
    const predicted = booleanAt(body, 'FailurePredicted') === true
    parts.push({
      what: 'drive',
      name,
      health: predicted && told === 'OK' ? 'Warning' : told,
      trouble: predicted ? 'predicted to fail' : undefined,
    })
  }
  return parts
}

function isAbsent(body: JsonObject): boolean {
  return textAt(body, 'Status', 'State') === 'Absent'
}

function healthAt(body: JsonObject, key: 'Health' | 'HealthRollup'): HealthWord | undefined {
  const word = textAt(body, 'Status', key)
  return word === 'OK' || word === 'Warning' || word === 'Critical' ? word : undefined
}
