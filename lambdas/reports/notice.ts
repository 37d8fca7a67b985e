import type { Report } from '../../contract/messages.ts'
import type { Appliance, HistoryEntry, Node } from '../../contract/resources.ts'
import type { Item, Platform } from '../platform.ts'
import { eventKey } from '../store/events.ts'
import { historyKey } from '../store/history.ts'
import { getNode } from '../store/nodes.ts'

type Notice = Pick<Extract<Report, { kind: 'notice' }>, 'id' | 'subject' | 'node' | 'text'>
type Needs = Pick<Platform, 'table' | 'clock' | 'log'>

/** What a site noticed goes where people listen: into its node's history where it is of one of the site's nodes, and among the events. */
export async function addNotice({ table, clock, log }: Needs, appliance: Appliance, notice: Notice): Promise<void> {
  const { site, name } = appliance
  const named = notice.node === undefined ? undefined : await getNode(table, notice.node)
  const node = named?.conductor_group === site ? named : undefined
  await table.write([{ put: noticeItem(appliance, notice, clock.now(), node) }])
  log.warn({ site, appliance: name, subject: notice.subject, node: node?.uuid, text: notice.text }, 'notice of a site')
}

export function noticeItem({ uuid, name, site }: Appliance, notice: Notice, now: Date, node?: Node): Item {
  const entry: HistoryEntry = {
    uuid: notice.id,
    node_uuid: node?.uuid ?? uuid,
    created_at: now.toISOString(),
    severity: 'ERROR',
    event_type: 'site',
    event: notice.text,
    conductor: name,
    user: null,
    project: null,
    about: {
      name: node?.name ?? null,
      site,
      owner: node?.owner ?? null,
      lessee: node?.lessee ?? null,
      from: node?.provision_state ?? null,
      to: node?.provision_state ?? null,
    },
  }
  return { ...historyKey(entry), version: 1, value: entry, by: { all: eventKey(entry) } }
}
