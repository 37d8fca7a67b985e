import { z } from 'zod'

/** What the topic rule of cdk/reports.ts puts into the queue: the MQTT payload, and from whose topic it came. */
export const uplinkRecord = z.object({
  payload: z.base64().transform((text) => Buffer.from(text, 'base64').toString('utf8')),
  appliance: z.string().min(1),
})
