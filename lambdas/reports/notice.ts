import type { Report } from '../../contract/messages.ts'
import type { Appliance, HistoryEntry } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { eventKey } from '../store/events.ts'
import { historyKey } from '../store/history.ts'
import { getNode } from '../store/nodes.ts'

type Notice = Extract<Report, { kind: 'notice' }>
type Needs = Pick<Platform, 'table' | 'clock' | 'log'>

/** What a site noticed goes where people listen: into its node's history where it is of one of the site's nodes, and among the events. */
export async function addNotice({ table, clock, log }: Needs, appliance: Appliance, notice: Notice): Promise<void> {
  const { site, name } = appliance
  const named = notice.node === undefined ? undefined : await getNode(table, notice.node)
  const node = named?.conductor_group === site ? named : undefined
  const entry: HistoryEntry = {
    uuid: notice.id,
    node_uuid: node?.uuid ?? appliance.uuid,
    created_at: clock.now().toISOString(),
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
  await table.write([{ put: { ...historyKey(entry), version: 1, value: entry, by: { all: eventKey(entry) } } }])
  log.warn({ site, appliance: name, subject: notice.subject, node: node?.uuid, text: notice.text }, 'notice of a site')
}
