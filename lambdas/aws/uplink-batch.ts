import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { z } from 'zod'
import { logger } from './log.ts'

/** What the topic rule of cdk/reports.ts puts into the queue: the MQTT payload, and from whose topic it came. */
const uplinkRecord = z.object({
  payload: z.base64().transform((text) => Buffer.from(text, 'base64').toString('utf8')),
  appliance: z.string().min(1),
})

/** Messages that failed come again, the others of their batch don't; after the last attempt they are dead letters. */
export async function handleUplinks(
  event: SQSEvent,
  handler: (appliance: string, body: string) => Promise<void>,
): Promise<SQSBatchResponse> {
  const one = async ({ body }: SQSRecord): Promise<void> => {
    const { appliance, payload } = uplinkRecord.parse(JSON.parse(body))
    await handler(appliance, payload)
  }
  const processor = new BatchProcessor(EventType.SQS, { logger })
  return processPartialResponse(event, one, processor, { throwOnFullBatchFailure: false })
}
