import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import type { ChangeHandler, Log } from '../platform.ts'
import { changeOf } from './change.ts'

/** One record after the other, and none behind one that failed: the stream comes again from there, so order per item holds. */
export async function handleStream(
  event: DynamoDBStreamEvent,
  handler: ChangeHandler,
  log: Log,
): Promise<DynamoDBBatchResponse> {
  for (const record of event.Records) {
    try {
      await handler([changeOf(record)])
    } catch (error) {
      log.error({ error, keys: record.dynamodb?.Keys }, 'change not handled, it comes again')
      return { batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber ?? '' }] }
    }
  }
  return { batchItemFailures: [] }
}
