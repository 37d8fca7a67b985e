import { provision } from '../../contract/provision.ts'
import type { HistoryEntry, Node } from '../../contract/resources.ts'
import type { Item, Key, Table } from '../platform.ts'
import { eventKey } from './events.ts'
import { all } from './paging.ts'

const PREFIX = 'history#'
const EVENT_LIMIT = 4096

export const historyKey = (entry: HistoryEntry): Key => ({
  pk: `node#${entry.node_uuid}`,
  sk: `${PREFIX}${entry.created_at}#${entry.uuid}`,
})

/** The entry that a change of a node deserves: a new error, else a new provision state. */
export function historyOf(
  before: Node,
  after: Node,
  facts: { id: string; now: string; conductor?: string; user?: string; project?: string },
): Item | undefined {
  const failed = after.last_error !== null && after.last_error !== before.last_error
  const moved = after.provision_state !== before.provision_state
  if (!failed && !moved) return undefined
  const entry: HistoryEntry = {
    uuid: facts.id,
    node_uuid: after.uuid,
    created_at: facts.now,
    severity: failed || provision[after.provision_state].kind === 'failed' ? 'ERROR' : 'INFO',
    event_type: moved ? 'provisioning' : 'power',
    event: (failed
      ? after.last_error
      : `Provision state: ${before.provision_state} to ${after.provision_state}.`)!.slice(0, EVENT_LIMIT),
    conductor: facts.conductor ?? null,
    user: facts.user ?? null,
    project: facts.project ?? null,
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

/** Oldest first. */
export function historyOfNode(table: Table, node: string): Promise<HistoryEntry[]> {
  return all<HistoryEntry>(table, { pk: `node#${node}`, prefix: PREFIX })
}

export async function deleteHistory(table: Table, node: string): Promise<void> {
  const entries = await historyOfNode(table, node)
  for (let at = 0; at < entries.length; at += 100)
    await table.write(entries.slice(at, at + 100).map((entry) => ({ delete: historyKey(entry) })))
}
