import type { IpmiSession } from './client.ts'
import type { ResponseOf } from './command.ts'
import { IpmiError } from './error.ts'
import type { SensorRecord } from './sdr.ts'
import { getSensorThresholds, setSensorThresholds } from './sensor-commands.ts'

export type ThresholdName = keyof ResponseOf<typeof getSensorThresholds>['readable']
/** In the sensor's unit; those that the BMC doesn't show are not there. */
export type Thresholds = Partial<Record<ThresholdName, number>>
type FullRecord = SensorRecord & { kind: 'full' }

const names: readonly ThresholdName[] = [
  'lowerNonCritical',
  'lowerCritical',
  'lowerNonRecoverable',
  'upperNonCritical',
  'upperCritical',
  'upperNonRecoverable',
]

export async function readThresholds(session: IpmiSession, record: FullRecord): Promise<Thresholds> {
  const { number, lun } = record.sensor
  const { readable, ...raw } = await session.send(getSensorThresholds, { number }, { lun })
  const shown = names.filter((name) => readable[name])
  return Object.fromEntries(
    shown.flatMap((name) => {
      const value = record.convert(raw[name])
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

export async function setThresholds(session: IpmiSession, record: FullRecord, wanted: Thresholds): Promise<void> {
  const raw = (name: ThresholdName): number => {
    const value = wanted[name]
    return value === undefined ? 0 : nearest(session, record, value)
  }
  const change = Object.fromEntries(names.map((name) => [name, wanted[name] !== undefined])) as Record<
    ThresholdName,
    boolean
  >
  const values = Object.fromEntries(names.map((name) => [name, raw(name)])) as Record<ThresholdName, number>
  const { number, lun } = record.sensor
  await session.send(setSensorThresholds, { number, change, ...values }, { lun })
}

/** Formulas have no inverse that is surely a byte, but bytes are few. */
function nearest({ host, port }: IpmiSession, { sensor, convert }: FullRecord, wanted: number): number {
  let best: { raw: number; off: number } | undefined
  for (let raw = 0; raw <= 0xff; raw += 1) {
    const off = Math.abs((convert(raw) ?? Number.NaN) - wanted)
    if (!Number.isNaN(off) && (!best || off < best.off)) best = { raw, off }
  }
  if (best) return best.raw
  const problem = `sensor ${JSON.stringify(sensor.name)} has no formula, so its thresholds can't be set in its unit`
  throw new IpmiError({ host, port, operation: setSensorThresholds.name }, problem)
}
