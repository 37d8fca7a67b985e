import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { onUplink } from '../../reports/on-uplink.ts'
import { awsPlatform } from '../platform.ts'
import { handleUplinks } from '../uplink-batch.ts'

const platform = awsPlatform()

export async function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  return handleUplinks(event, (appliance, body) => onUplink(platform, appliance, body))
}
