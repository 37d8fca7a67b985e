import type { Key, Table } from '../platform.ts'

/** What a site reported of a node's firmware: settings of its BIOS, and components with their versions. */

export interface BiosSetting {
  name: string
  value: string | null
  allowable_values: string[] | null
  attribute_type: string | null
  lower_bound: number | null
  max_length: number | null
  min_length: number | null
  read_only: boolean | null
  reset_required: boolean | null
  unique: boolean | null
  upper_bound: number | null
  created_at: string
  updated_at: string | null
  /** Of the reading that it came with; not shown. */
  read_at?: string
}

export interface FirmwareComponent {
  component: string
  initial_version: string
  current_version: string | null
  last_version_flashed: string | null
  vendor: string | null
  model: string | null
  serial_number: string | null
  created_at: string
  updated_at: string | null
}

export const biosKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'bios' })
export const firmwareKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'firmware' })

/** In order of name. */
export async function biosOf(table: Table, node: string): Promise<BiosSetting[]> {
  return ((await table.get(biosKey(node)))?.value ?? []) as BiosSetting[]
}

export async function firmwareOf(table: Table, node: string): Promise<FirmwareComponent[]> {
  return ((await table.get(firmwareKey(node)))?.value ?? []) as FirmwareComponent[]
}
