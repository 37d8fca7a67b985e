import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { onUplink } from '../../reports/on-uplink.ts'
import { logger } from '../log.ts'
import { awsPlatform } from '../platform.ts'
import { uplinkRecord } from '../uplink-record.ts'

const platform = awsPlatform()
const processor = new BatchProcessor(EventType.SQS, { logger })

/** Messages that failed come again, the others of their batch don't; after the last attempt they are dead letters. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  return processPartialResponse(event, handleRecord, processor, { context, throwOnFullBatchFailure: false })
}

async function handleRecord({ body }: SQSRecord): Promise<void> {
  const { appliance, payload } = uplinkRecord.parse(JSON.parse(body))
  await onUplink(platform, appliance, payload)
}
