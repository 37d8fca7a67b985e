import { z } from 'zod'
import { type Delivery, type FailedDelivery, type Webhook, webhookStatus } from '../../contract/webhook.ts'
import type { Item, Key, Table, Write } from '../platform.ts'
import { store, uniqueName } from './entity.ts'
import { all } from './paging.ts'

/** A webhook and all that waits for its receiver are one partition: what is to be delivered in order of the events, what was given up,
 * the mark that says when somebody must look, and how the receiver has done. */

export const webhookStore = store<Webhook>({
  title: 'webhook',
  word: 'webhook',
  plural: 'webhooks',
  uniques: ({ name }) => uniqueName('webhook', 'webhook', name),
})

export const WEBHOOKS_DUE = 'due-webhooks'
const DELIVERY = 'delivery#'
const FAILURE = 'failure#'

export const partitionOf = (webhook: string): string => webhookStore.key(webhook).pk

export const deliveryKey = (webhook: string, delivery: Delivery): Key => ({
  pk: partitionOf(webhook),
  sk: DELIVERY + delivery.event.id,
})
/** An event's id begins with its instant, which is the order of both lists. */
export const failureKey = (webhook: string, event: string): Key => ({ pk: partitionOf(webhook), sk: FAILURE + event })

/** `next`: not before this. */
export type Waiting = Delivery & { next_at: string }

/** So long is kept what nobody takes, and what was given up. */
export const KEPT_SECONDS = 14 * 24 * 3600
const expiryOf = (at: string): number => Math.ceil(Date.parse(at) / 1000) + KEPT_SECONDS

export function deliveryItem(webhook: string, waiting: Waiting): Item {
  return { ...deliveryKey(webhook, waiting), version: 1, value: waiting, expires: expiryOf(waiting.queued_at) }
}

export function failureItem(webhook: string, failed: FailedDelivery): Item {
  return { ...failureKey(webhook, failed.event.id), version: 1, value: failed, expires: expiryOf(failed.failed_at) }
}

export const deliveriesOf = (webhook: string) => ({ pk: partitionOf(webhook), prefix: DELIVERY })
export const failuresOf = (webhook: string) => ({ pk: partitionOf(webhook), prefix: FAILURE })

export function allWebhooks(table: Table): Promise<Webhook[]> {
  return all<Webhook>(table, { index: 'all', pk: 'webhooks' })
}

/** Present while something waits; by its `due`, the timer finds what nobody was woken for. */
const markKey = (webhook: string): Key => ({ pk: partitionOf(webhook), sk: 'pending' })

export function getMark(table: Table, webhook: string): Promise<Item | undefined> {
  return table.get(markKey(webhook))
}

/** Every new delivery counts the mark up, so that nobody who found nothing removes it behind one's back. */
export function markWrite(webhook: string, before: Item | undefined, due: string): Write {
  const key = markKey(webhook)
  return {
    put: {
      ...key,
      version: (before?.version ?? 0) + 1,
      value: { webhook, due },
      by: { due: { pk: WEBHOOKS_DUE, sk: `${due}#${key.pk}` } },
    },
    expect: before?.version ?? 'absent',
  }
}

export const markRemoval = (mark: Item): Write => ({ delete: { pk: mark.pk, sk: mark.sk }, expect: mark.version })

/** How the receiver has done, and who is delivering to it just now. */
const standing = webhookStatus.extend({
  /** Failures in a row. */
  failures: z.int().min(0),
  /** Of this write of the webhook; of another one it counts for nothing, since a new URL is another receiver. */
  of: z.int(),
  /** Who delivers, and until when they are certain to have ended. */
  holder: z.string().nullable(),
  held_until: z.string().nullable(),
})
export type Standing = z.infer<typeof standing>

export const standingKey = (webhook: string): Key => ({ pk: partitionOf(webhook), sk: 'standing' })

export function standingOf(item: Item | undefined, { version }: Pick<Webhook, 'version'>): Standing {
  const kept = item && standing.parse(item.value)
  const fresh = { failures: 0, failing_since: null, last_error: null, resting_until: null }
  const first = { ...fresh, last_success_at: null, holder: null, held_until: null, of: version }
  if (!kept) return first
  return kept.of === version ? kept : { ...kept, ...fresh, of: version }
}
