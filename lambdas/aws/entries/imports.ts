import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { takeTurn } from '../../image-service/turn.ts'
import { addressGuard } from '../../webhooks/address-guard.ts'
import { importerOf } from '../importer.ts'
import { awsPlatform } from '../platform.ts'

const platform = awsPlatform()
const importer = importerOf(process.env)
// In no VPC, it reaches the public Internet and nothing of ours.
const guard = addressGuard()

/** Before the function's timeout (cdk/imports.ts), with room to store what has come. */
const TURN_MS = 13 * 60_000

/** Each message is one image: it is fetched for as long as a function may run, and handed on. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = []
  for (const { body: image, messageId: itemIdentifier } of Records) {
    try {
      const isOver = await takeTurn({ ...platform, guard, end: AbortSignal.timeout(TURN_MS) }, image)
      if (!isOver) await importer.wake(image)
    } catch (error) {
      platform.log.error({ image, error }, 'fetching an image failed, it is tried again')
      batchItemFailures.push({ itemIdentifier })
    }
  }
  return { batchItemFailures }
}
