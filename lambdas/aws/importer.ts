import { SQSClient } from '@aws-sdk/client-sqs'
import type { Importer } from '../image-service/importer.ts'
import { requiredOf } from './environment.ts'
import { requestHandler } from './request-handler.ts'
import { SqsWaker } from './waker.ts'

/** The queue of the function that fetches images. */
export function importerOf(variables: Record<string, string | undefined>): Importer {
  return new SqsWaker(new SQSClient({ requestHandler }), requiredOf(variables, 'IMPORTS'))
}
