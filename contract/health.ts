import { z } from 'zod'
import { instant } from './resources.ts'

/** How a machine's hardware does, by what its BMC measures and logs. The levels are those that Ironic shows in `health`. */

export const healthLevels = ['OK', 'Warning', 'Critical'] as const
export const healthLevel = z.enum(healthLevels)
export type HealthLevel = z.infer<typeof healthLevel>

export function rank(level: HealthLevel): number {
  return healthLevels.indexOf(level)
}

export function worst(levels: Iterable<HealthLevel>): HealthLevel {
  let found: HealthLevel = 'OK'
  for (const level of levels) if (rank(level) > rank(found)) found = level
  return found
}

export const MOST_CAUSES = 16
export const MOST_LINES = 16

/** What is not well: a sensor with its reading and threshold, a power supply, a disk, an entry of the BMC's log. */
export const healthCause = z.object({
  /** Of one machine, the same for the same thing: `sensor Inlet`, `power supply PSU 1`. */
  subject: z.string().min(1).max(128),
  level: z.enum(['Warning', 'Critical']),
  text: z.string().min(1).max(256),
  since: instant,
})
export type HealthCause = z.infer<typeof healthCause>

/** An entry of the BMC's log; `times`: so often one after the other. */
export const logLine = z.object({
  /** By the BMC's clock; null: it does not say. */
  at: instant.nullable(),
  level: healthLevel,
  text: z.string().min(1).max(256),
  times: z.int().positive(),
})
export type LogLine = z.infer<typeof logLine>

export const MOST_READINGS = 256
export const sensorKind = z.enum(['temperature', 'fan', 'voltage', 'current', 'power', 'state', 'other'])
export type SensorKind = z.infer<typeof sensorKind>

/** A sensor as a look at the BMC found it; `value`: null for states, and where nothing can be read now. */
export const sensorReading = z.object({
  name: z.string().max(64),
  kind: sensorKind,
  value: z.number().nullable(),
  unit: z.string().max(16),
  level: healthLevel,
})
export type SensorReading = z.infer<typeof sensorReading>

/** What the API shows of a node's health; `log`: the end of its BMC's log. */
export interface HealthView {
  /** null: nothing is known. */
  health: HealthLevel | null
  since: string | null
  reported_at: string | null
  causes: HealthCause[]
  log: Array<LogLine & { reported_at: string }>
  /** How the machine differed from properties/baseline when a `report_drift` step last looked; null: none did. */
  drift: { read_at: string; differences: string[] } | null
}
