import { z } from 'zod'
import type { Log } from '../lambdas/platform.ts'
import type { SqliteQueue } from './queue.ts'

/** What appliances published, on its way from the broker to the cloud's code. */
const record = z.object({ appliance: z.string(), payload: z.string() })

export function queueUplink(queue: SqliteQueue, appliance: string, payload: string): Promise<void> {
  return queue.send(JSON.stringify({ appliance, payload }))
}

type Handler = (appliance: string, payloads: string[]) => Promise<void>

/** Each appliance's messages together, so that what they say of one thing is one write; beside those of others, so that none waits
 * for another. Where together they fail each is tried by itself, so that one that fails holds up no other. */
export function consumeUplinks(queue: SqliteQueue, handler: Handler, log: Log): () => Promise<void> {
  return queue.consume(async (bodies) => {
    const messages = bodies.map((body, index) => ({ ...record.parse(JSON.parse(body)), index }))
    const failed: number[] = []
    const attempt = async (appliance: string, some: typeof messages): Promise<void> => {
      try {
        await handler(
          appliance,
          some.map(({ payload }) => payload),
        )
      } catch (error) {
        if (some.length > 1) for (const one of some) await attempt(appliance, [one])
        else {
          log.warn({ appliance, error: String(error) }, 'reports of this appliance failed; they come again')
          failed.push(...some.map(({ index }) => index))
        }
      }
    }
    const groups = Map.groupBy(messages, ({ appliance }) => appliance)
    await Promise.all([...groups].map(([appliance, some]) => attempt(appliance, some)))
    return failed
  })
}
