import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import { onChange } from '../../conductor/on-change.ts'
import { changeOf } from '../change.ts'
import { awsPlatform } from '../platform.ts'

const platform = awsPlatform()

/** One record after the other, and none behind one that failed: the stream comes again from there, so order per item holds. */
export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  for (const record of event.Records) {
    try {
      await onChange(platform, [changeOf(record)])
    } catch (error) {
      platform.log.error({ error, keys: record.dynamodb?.Keys }, 'change not handled, it comes again')
      return { batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber ?? '' }] }
    }
  }
  return { batchItemFailures: [] }
}
