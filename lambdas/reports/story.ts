import type { HistoryEntry, Node } from '../../contract/resources.ts'
import type { Write } from '../platform.ts'
import { eventKey } from '../store/events.ts'
import { historyKey, ordered } from '../store/history.ts'

/** What befell a node's hardware, for its history and for those who listen to events. */
export type Story = Pick<HistoryEntry, 'severity' | 'event'>

const MOST_TEXT = 4096

/** Behind what the change itself is told as, of the same version of the node. */
const BEHIND = 500

/** To be written with the change that it tells of; `index`: of several of one change. */
export function storyWrite(
  node: Node,
  { severity, event }: Story,
  { id, index, at, conductor }: { id: string; index: number; at: string; conductor: string | null },
): Write {
  const uuid = ordered(id, node.version * 1000 + BEHIND + index)
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
