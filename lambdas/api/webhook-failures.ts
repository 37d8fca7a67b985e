import { z } from 'zod'
import type { FailedDelivery } from '../../contract/webhook.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { deliveryItem, failureKey, failuresOf } from '../store/webhooks.ts'
import { enqueue } from '../webhooks/fan-out.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'
import { collection, onlyKnown, paging } from './query.ts'
import { found } from './resource.ts'
import { webhooks } from './webhooks.ts'

/** What was given up: to be looked at, and to be delivered after all. */

const MOST = 1000
export const replay = z.strictObject({
  /** Ids of events; without: all there are, up to a thousand. */
  events: z.array(z.string().max(200)).min(1).max(MOST).optional(),
})

export function webhookFailureRoutes(app: Api, platform: Platform): void {
  const { table } = platform
  app.get('/v1/webhooks/:webhook/failures', async (call) => {
    onlyKnown(call, [])
    const { uuid } = await found(call, table, webhooks, call.req.param('webhook'))
    const { limit, marker, descending } = paging(call)
    const after = marker === undefined ? undefined : { key: failureKey(uuid, marker) }
    const page = await table.query({ ...failuresOf(uuid), limit, descending, after })
    const failures = page.items.map(({ value }) => value as FailedDelivery)
    const next = page.next && failures.at(-1)?.event.id
    return call.json(collection(call, 'failures', `webhooks/${uuid}/failures`, failures, next))
  })
  app.post('/v1/webhooks/:webhook/failures/replay', async (call) => {
    const { uuid } = await found(call, table, webhooks, call.req.param('webhook'))
    const { events } = replay.parse((await readJson(call)) ?? {})
    const keys = events
      ? [...new Set(events)].map((event) => failureKey(uuid, event))
      : (await table.query({ ...failuresOf(uuid), limit: MOST })).items
    const moved = await Promise.all(keys.map((key) => requeue(platform, uuid, key)))
    await enqueue(platform, uuid, [])
    return call.json({ replayed: moved.filter(Boolean).length }, 202)
  })
}

/** Back into the queue, at the place that its event has. False: it is no failure any more. */
async function requeue({ table, clock }: Platform, webhook: string, key: { pk: string; sk: string }): Promise<boolean> {
  const item = await table.get(key)
  if (!item) return false
  const { failed_at: _failed, ...delivery } = item.value as FailedDelivery
  const now = clock.now().toISOString()
  const waiting = { ...delivery, attempts: 0, queued_at: now, next_at: now }
  try {
    await table.write([{ delete: key, expect: item.version }, { put: deliveryItem(webhook, waiting) }])
    return true
  } catch (error) {
    if (error instanceof ConflictError) return false
    throw error
  }
}
