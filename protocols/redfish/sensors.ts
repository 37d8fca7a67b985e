import type { Redfish } from './client.ts'
import { members } from './collection.ts'
import { type JsonObject, linkAt, linksAt, listAt, numberAt, objectOf, textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

export interface Reading {
  name: string
  kind: 'temperature' | 'fan' | 'power' | 'voltage' | 'other'
  value: number
  units: string
  health: string | undefined
}

interface Row {
  resource: 'Thermal' | 'Power'
  list: string
  kind: Reading['kind']
  value: string
  units: string
}

/** Where the older schemas keep what (Thermal and Power, deprecated in 2020.4 but in most machines). */
const rows: readonly Row[] = [
  { resource: 'Thermal', list: 'Temperatures', kind: 'temperature', value: 'ReadingCelsius', units: 'Cel' },
  { resource: 'Thermal', list: 'Fans', kind: 'fan', value: 'Reading', units: 'RPM' },
  { resource: 'Power', list: 'PowerControl', kind: 'power', value: 'PowerConsumedWatts', units: 'W' },
  { resource: 'Power', list: 'Voltages', kind: 'voltage', value: 'ReadingVolts', units: 'V' },
]

const kinds: Readonly<Record<string, Reading['kind']>> = {
  Temperature: 'temperature',
  Rotational: 'fan',
  Power: 'power',
  Voltage: 'voltage',
}

/** All readings of the chassis that a system is in, by the Sensors collection where there is one. */
export async function readSensors(bmc: Redfish, system: System): Promise<Reading[]> {
  const operation = 'read sensors'
  const { body } = await readSystem(bmc, system, operation)
  const readings: Reading[] = []
  for (const path of linksAt(body, 'Links', 'Chassis')) {
    const chassis = (await bmc.get(path, operation)).body
    const sensors = linkAt(chassis, 'Sensors')
    const found =
      sensors === undefined ? [] : (await members(bmc, sensors, operation)).flatMap((each) => sensorOf(each.body))
    readings.push(...(found.length > 0 ? found : await olderReadings(bmc, chassis, operation)))
  }
  return readings
}

function sensorOf(body: JsonObject): Reading[] {
  const value = numberAt(body, 'Reading')
  if (value === undefined) return []
  const kind = kinds[textAt(body, 'ReadingType') ?? ''] ?? 'other'
  return [{ name: nameOf(body), kind, value, units: textAt(body, 'ReadingUnits') ?? '', health: healthOf(body) }]
}

async function olderReadings(bmc: Redfish, chassis: JsonObject, operation: string): Promise<Reading[]> {
  const bodies = new Map<string, JsonObject>()
  for (const name of ['Thermal', 'Power']) {
    const path = linkAt(chassis, name)
    if (path !== undefined) bodies.set(name, (await bmc.get(path, operation)).body)
  }
  return rows.flatMap(({ resource, list, kind, value: key, units }) =>
    listAt(bodies.get(resource), list).flatMap((entry) => {
      const body = objectOf(entry)
      const value = numberAt(entry, key)
      if (!body || value === undefined) return []
      return [{ name: nameOf(body), kind, value, units: textAt(body, 'ReadingUnits') ?? units, health: healthOf(body) }]
    }),
  )
}

function nameOf(body: JsonObject): string {
  return textAt(body, 'Name') ?? textAt(body, 'FanName') ?? textAt(body, 'Id') ?? ''
}

function healthOf(body: JsonObject): string | undefined {
  return textAt(body, 'Status', 'Health')
}
