import { z } from 'zod'
import { type Event, event } from './event.ts'
import { instant, provisionState, siteName, uuid } from './resources.ts'
import { logicalName } from './stored.ts'

/** Who wants to be told of events by HTTP, and of which. */

const some = <T extends z.ZodType>(of: T) => z.array(of).min(1).max(100).nullable()

/** Null: all. An event must fit every one of them. */
export const webhookFilter = z.strictObject({
  kinds: some(event.shape.kind),
  sites: some(siteName),
  /** The uuids of nodes. */
  nodes: some(uuid),
  /** Of events that are changes of provision state: where they lead. */
  states: some(provisionState),
})
export type WebhookFilter = z.infer<typeof webhookFilter>

export const webhook = z.object({
  uuid,
  name: logicalName,
  /** Without credentials or a fragment. */
  url: z.url({ protocol: /^https?$/, error: 'an http or https URL' }).max(2048),
  /** Sealed as it is stored; shown as ******. */
  secret: z.string(),
  filter: webhookFilter,
  enabled: z.boolean(),
  /** Why we disabled it ourselves. */
  disabled_reason: z.string().nullable(),
  /** The project whose nodes it is told of; null: of all nodes. */
  owner: z.string().max(255).nullable(),
  created_at: instant,
  updated_at: instant.nullable(),
  version: z.int().positive(),
})
export type Webhook = z.infer<typeof webhook>

/** How its receiver has done lately. */
export const webhookStatus = z.object({
  last_success_at: instant.nullable(),
  /** Since when nothing was taken. */
  failing_since: instant.nullable(),
  last_error: z.string().nullable(),
  /** Until when the receiver is left in peace. */
  resting_until: instant.nullable(),
})
export type WebhookStatus = z.infer<typeof webhookStatus>

/** An event on its way to one receiver. */
export const delivery = z.object({
  /** The same for every attempt, and for every receiver: the history entry's uuid. */
  id: uuid,
  event,
  queued_at: instant,
  attempts: z.int().min(0),
  last_error: z.string().nullable(),
})
export type Delivery = z.infer<typeof delivery>

/** One that was given up, kept for a while to be looked at and sent again. */
export const failedDelivery = delivery.extend({ failed_at: instant })
export type FailedDelivery = z.infer<typeof failedDelivery>

export function wants({ filter, owner }: Pick<Webhook, 'filter' | 'owner'>, told: Event, of: string | null): boolean {
  const { kinds, sites, nodes, states } = filter
  return (
    (owner === null || owner === of) &&
    (kinds === null || kinds.includes(told.kind)) &&
    (sites === null || (told.site !== null && sites.includes(told.site))) &&
    (nodes === null || (told.node !== null && nodes.includes(told.node))) &&
    (states === null || (told.to !== null && told.to !== told.from && states.includes(told.to)))
  )
}
