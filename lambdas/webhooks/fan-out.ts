import type { HistoryEntry } from '../../contract/resources.ts'
import { wants, type Webhook } from '../../contract/webhook.ts'
import type { Change, Platform } from '../platform.ts'
import { ConflictError } from '../platform.ts'
import { eventOf } from '../store/events.ts'
import { items } from '../store/paging.ts'
import { allWebhooks, deliveryItem, getMark, markWrite, type Waiting } from '../store/webhooks.ts'

/** Fed by the change feed: each new event is laid into the queue of every webhook that wants it, and their couriers are woken. Doing
 * it twice is harmless: a delivery's key is its event's. */

type Needs = Pick<Platform, 'table' | 'clock' | 'couriers'>

export async function fanOut(platform: Needs, changes: Change[]): Promise<void> {
  const entries = changes.flatMap(({ key, before, after }) =>
    key.sk.startsWith('history#') && after && !before ? [after.value as HistoryEntry] : [],
  )
  const hooks = entries.length === 0 ? [] : (await allWebhooks(platform.table)).filter(({ enabled }) => enabled)
  for (const hook of hooks) {
    const wanted = entries.flatMap((entry) => waitingOf(platform, hook, entry))
    if (wanted.length > 0) await enqueue(platform, hook.uuid, wanted)
  }
  for (const change of changes) if (change.key.sk === 'webhook') await webhookChanged(platform, change)
}

function waitingOf({ clock }: Needs, hook: Webhook, entry: HistoryEntry): Waiting[] {
  const { about, uuid: id } = entry
  const event = about && eventOf(entry, about)
  if (!event || !wants(hook, event, about.owner)) return []
  const now = clock.now().toISOString()
  return [{ id, event, queued_at: now, attempts: 0, last_error: null, next_at: now }]
}

/** One transaction holds 100 writes. */
const AT_ONCE = 90
const ATTEMPTS = 30

/** Nothing: only to have somebody look. */
export async function enqueue(platform: Needs, webhook: string, waiting: Waiting[]): Promise<void> {
  for (let at = 0; at === 0 || at < waiting.length; at += AT_ONCE)
    await enqueueSome(platform, webhook, waiting.slice(at, at + AT_ONCE))
  await platform.couriers.wake(webhook)
}

async function enqueueSome({ table, clock }: Needs, webhook: string, waiting: Waiting[]): Promise<void> {
  let left = waiting
  for (let attempt = 0; attempt < ATTEMPTS;) {
    const mark = markWrite(webhook, await getMark(table, webhook), clock.now().toISOString())
    const puts = left.map((each) => ({ put: deliveryItem(webhook, each), expect: 'absent' as const }))
    try {
      return await table.write([mark, ...puts])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      // The mark was moved by another, or this one is in the queue already.
      if (error.index === 0) attempt += 1
      else left = left.filter((_, index) => index !== error.index - 1)
    }
  }
  throw new Error(`webhook ${webhook}: its queue is being changed by many at once`)
}

async function webhookChanged(platform: Needs, { key, before, after }: Change): Promise<void> {
  if (!after) return clear(platform, key.pk)
  const [was, is] = [before?.value as Webhook | undefined, after.value as Webhook]
  // What waits for it may go on at once: it is enabled again, or elsewhere.
  if (!was || !is.enabled || (was.enabled && was.url === is.url && was.secret === is.secret)) return
  await enqueue(platform, is.uuid, [])
}

/** All that a deleted webhook leaves behind. */
async function clear({ table }: Needs, pk: string): Promise<void> {
  const keys: Array<{ pk: string; sk: string }> = []
  for await (const { sk } of items(table, { pk })) keys.push({ pk, sk })
  if (keys.some(({ sk }) => sk === 'webhook')) return // made anew under the same uuid
  for (let at = 0; at < keys.length; at += 100)
    await table.write(keys.slice(at, at + 100).map((key) => ({ delete: key })))
}
