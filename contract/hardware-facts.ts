import { z } from 'zod'
import { MOST_READINGS, sensorReading } from './health.ts'

/** What a site reads of a machine out of band, in Ironic's names. Each section is there when it was read, and then whole, but for `bios`:
 * that may be too large for one message, so all parts of one reading have the same `read_at`. */

const text = z.string().max(256)

export const indicatorState = z.enum(['on', 'off', 'blinking', 'unknown'])
export type IndicatorState = z.infer<typeof indicatorState>

export const indicator = z.object({
  component: z.enum(['system', 'chassis', 'disk', 'power', 'nic']),
  name: text,
  readonly: z.boolean(),
  states: z.array(indicatorState).max(4),
  state: indicatorState,
})
export type Indicator = z.infer<typeof indicator>

export const virtualMedium = z.object({
  media_types: z.array(text).max(16),
  inserted: z.boolean(),
  image: z.string().max(2048),
})
export type VirtualMedium = z.infer<typeof virtualMedium>

export const MOST_SETTINGS = 1000
export const biosSetting = z.object({
  name: text,
  value: z.string().max(1024).nullable(),
  allowable_values: z.array(z.string().max(128)).max(32).nullable(),
  attribute_type: text.nullable(),
  lower_bound: z.number().nullable(),
  max_length: z.number().nullable(),
  min_length: z.number().nullable(),
  read_only: z.boolean().nullable(),
  reset_required: z.boolean().nullable(),
  unique: z.boolean().nullable(),
  upper_bound: z.number().nullable(),
})
export type BiosSetting = z.infer<typeof biosSetting>

export const firmwareComponent = z.object({
  component: text,
  version: text.nullable(),
  vendor: text.nullable(),
  model: text.nullable(),
  serial_number: text.nullable(),
})
export type FirmwareComponent = z.infer<typeof firmwareComponent>

export const hardwareFacts = z.object({
  read_at: z.iso.datetime({ offset: true }),
  boot_mode: z.enum(['uefi', 'bios']).nullable().optional(),
  secure_boot: z.boolean().nullable().optional(),
  indicators: z.array(indicator).max(64).optional(),
  virtual_media: z.array(virtualMedium).max(32).optional(),
  bios: z.array(biosSetting).max(MOST_SETTINGS).optional(),
  firmware: z.array(firmwareComponent).max(256).optional(),
  /** How the machine differs from what was declared of it, a sentence each. */
  drift: z.array(z.string().max(1024)).max(200).optional(),
  /** As somebody asked for them. */
  sensors: z.array(sensorReading).max(MOST_READINGS).optional(),
  raid_config: z.record(z.string().max(255), z.unknown()).optional(),
})
export type HardwareFacts = z.infer<typeof hardwareFacts>
