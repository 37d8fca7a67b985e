import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import { onChange } from '../../conductor/on-change.ts'
import { awsPlatform } from '../platform.ts'
import { handleStream } from '../stream-batch.ts'

const platform = awsPlatform()

export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  return handleStream(event, (changes) => onChange(platform, changes), platform.log)
}
