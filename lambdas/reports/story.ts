import type { HistoryEntry, Node } from '../../contract/resources.ts'
import type { Write } from '../platform.ts'
import { eventKey } from '../store/events.ts'
import { historyKey } from '../store/history.ts'

/** What befell a node's hardware, for its history and for those who listen to events. */
export type Story = Pick<HistoryEntry, 'severity' | 'event'>

const MOST_TEXT = 4096

/** To be written with the change that it tells of. `uuid`: the same whenever the same thing is told again. */
export function storyWrite(
  node: Node,
  { severity, event }: Story,
  { uuid, at, conductor }: { uuid: string; at: string; conductor: string | null },
): Write {
  const { uuid: node_uuid, name, conductor_group: site, owner, lessee, provision_state: state } = node
  const entry: HistoryEntry = {
    uuid,
    node_uuid,
    created_at: at,
    severity,
    event_type: 'health',
    event: event.slice(0, MOST_TEXT),
    conductor,
    user: null,
    project: null,
    state,
    target_provision_state: node.target_provision_state,
    about: { name, site, owner, lessee, from: state, to: state },
  }
  return { put: { ...historyKey(entry), version: 1, value: entry, by: { all: eventKey(entry) } } }
}
