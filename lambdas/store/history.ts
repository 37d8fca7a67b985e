import { provision } from '../../contract/provision.ts'
import type { HistoryEntry, Node } from '../../contract/resources.ts'
import type { Item, Key, Table } from '../platform.ts'
import { eventKey } from './events.ts'
import { all } from './paging.ts'

const PREFIX = 'history#'
const EVENT_LIMIT = 4096
/** The `conductor` of what neither a person nor a site did: a deadline that passed, a plan that could not be made. */
export const THE_CLOUD = 'cloud'

export const historyKey = (entry: HistoryEntry): Key => ({
  pk: `node#${entry.node_uuid}`,
  sk: `${PREFIX}${entry.created_at}#${entry.uuid}`,
})

/** Who made a change, and when. */
export interface Circumstances {
  now: string
  conductor?: string | null | undefined
  user?: string | null | undefined
  project?: string | null | undefined
}

/** The entry that a change of a node deserves: of a new error, else of a new provision state, maintenance or power state. `position`
 * orders entries of the same millisecond. */
export function historyOf(
  before: Node,
  after: Node,
  { now, conductor = null, user = null, project = null }: Circumstances,
  { id, position }: { id: string; position: number },
): Item | undefined {
  const told = happened(before, after)
  if (!told) return undefined
  // Writers' clocks differ a little; nothing comes before what it followed.
  const at = before.updated_at !== null && before.updated_at > now ? before.updated_at : now
  const since = before.provision_updated_at
  const entry: HistoryEntry = {
    uuid: ordered(id, position),
    node_uuid: after.uuid,
    created_at: at,
    ...told,
    event: told.event.slice(0, EVENT_LIMIT),
    conductor,
    user,
    project,
    state: before.provision_state,
    target_provision_state: before.target_provision_state,
    duration_seconds: since === null ? null : Math.max(0, Math.round((Date.parse(at) - Date.parse(since)) / 1000)),
    about: {
      name: after.name,
      site: after.conductor_group,
      owner: after.owner,
      lessee: after.lessee,
      from: before.provision_state,
      to: after.provision_state,
    },
  }
  return { ...historyKey(entry), version: 1, value: entry, by: { all: eventKey(entry) } }
}

type Happened = Pick<HistoryEntry, 'severity' | 'event_type' | 'event'>

function happened(before: Node, after: Node): Happened | undefined {
  const moved = after.provision_state !== before.provision_state
  if (after.last_error !== null && after.last_error !== before.last_error)
    return { severity: 'ERROR', event_type: moved ? 'provisioning' : 'power', event: after.last_error }
  if (moved)
    return {
      severity: provision[after.provision_state].kind === 'failed' ? 'ERROR' : 'INFO',
      event_type: 'provisioning',
      event: `Provision state: ${before.provision_state} to ${after.provision_state}.`,
    }
  if (after.maintenance !== before.maintenance)
    return { severity: 'INFO', event_type: 'maintenance', event: maintenanceText(after) }
  // What an operation does with the power is its own affair; the first look at a machine is no change.
  const switched = before.power_state !== null && after.power_state !== null && after.power_state !== before.power_state
  if (switched && after.operation === null)
    return {
      severity: 'INFO',
      event_type: 'power',
      event: `Power state: ${before.power_state} to ${after.power_state}.`,
    }
  return undefined
}

function maintenanceText({ maintenance, maintenance_reason: reason }: Node): string {
  if (!maintenance) return 'Maintenance ended.'
  return reason ? `Maintenance: ${reason}` : 'Maintenance began.'
}

/** A uuid that sorts by `position` (RFC 9562 §5.8: version 8 leaves the form to us), the rest being that of `id`. */
export function ordered(id: string, position: number): string {
  const digits = position.toString(16).padStart(12, '0').slice(-12)
  return `${digits.slice(0, 8)}-${digits.slice(8)}-8${id.slice(15)}`
}

/** Oldest first. */
export function historyOfNode(table: Table, node: string): Promise<HistoryEntry[]> {
  return all<HistoryEntry>(table, { pk: `node#${node}`, prefix: PREFIX })
}

export async function deleteHistory(table: Table, node: string): Promise<void> {
  const entries = await historyOfNode(table, node)
  for (let at = 0; at < entries.length; at += 100)
    await table.write(entries.slice(at, at + 100).map((entry) => ({ delete: historyKey(entry) })))
}
