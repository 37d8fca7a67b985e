import type { HealthCause, LogLine, SensorReading } from '../../contract/health.ts'
import type { Key, Table } from '../platform.ts'

/** What a site told last of how a node's hardware does; the level itself is the node's `health`. */
export interface NodeHealth {
  /** Since when it has this level. */
  since: string | null
  reported_at: string | null
  /** Who reported it, under which number. */
  source: { appliance: string; seq: number } | null
  causes: HealthCause[]
  /** The end of the BMC's log, as far as it was told, oldest first. */
  log: Array<LogLine & { reported_at: string }>
  /** Reports that are in here, so that one that comes again changes nothing. */
  seen: string[]
}

export const unknownHealth: NodeHealth = { since: null, reported_at: null, source: null, causes: [], log: [], seen: [] }

export const healthKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'health' })

export async function healthOf(table: Table, node: string): Promise<NodeHealth> {
  return ((await table.get(healthKey(node)))?.value as NodeHealth | undefined) ?? unknownHealth
}

/** As somebody asked for them last. */
export interface NodeSensors {
  read_at: string
  sensors: SensorReading[]
}

export const sensorsKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'sensors' })

export async function sensorsOf(table: Table, node: string): Promise<NodeSensors | undefined> {
  return (await table.get(sensorsKey(node)))?.value as NodeSensors | undefined
}
