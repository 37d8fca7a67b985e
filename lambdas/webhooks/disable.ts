import type { HistoryEntry } from '../../contract/resources.ts'
import type { Webhook } from '../../contract/webhook.ts'
import { ConflictError, type Item, type Platform } from '../platform.ts'
import { eventKey } from '../store/events.ts'
import { partitionOf, webhookStore } from '../store/webhooks.ts'

type Needs = Pick<Platform, 'table' | 'clock' | 'ids' | 'log'>

/** Gives a receiver up, and says so where people listen: in the webhook, as an event, in the log. What waits for it stays. */
export async function disable({ table, clock, ids, log }: Needs, hook: Webhook, why: string): Promise<void> {
  const now = clock.now().toISOString()
  const after: Webhook = {
    ...hook,
    enabled: false,
    disabled_reason: why,
    updated_at: now,
    version: hook.version + 1,
  }
  try {
    await table.write([...webhookStore.writes(hook, after), { put: notice(hook, why, { now, id: ids.uuid() }) }])
    log.error({ webhook: hook.uuid, name: hook.name, why }, 'webhook disabled')
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // somebody changed it meanwhile: it gets another chance
  }
}

function notice({ uuid, name, owner }: Webhook, why: string, { now, id }: { now: string; id: string }): Item {
  const entry: HistoryEntry = {
    uuid: id,
    node_uuid: uuid,
    created_at: now,
    severity: 'ERROR',
    event_type: 'webhook',
    event: `Webhook ${name} was disabled: ${why}`,
    conductor: null,
    user: null,
    project: null,
    about: { name, site: '', owner, lessee: null, from: null, to: null },
  }
  const key = { pk: partitionOf(uuid), sk: `history#${now}#${id}` }
  return { ...key, version: 1, value: entry, by: { all: eventKey(entry) } }
}
