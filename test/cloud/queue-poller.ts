import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'

/** In place of the queue's minutes. */
const AGAIN_SECONDS = 1
/** Short, because stopping waits for it: a receive that is broken off takes messages with it until they time out. */
const WAIT_SECONDS = 1

/** Lambda's event source for a queue: what was handled is deleted, what failed comes again. */
export function pollQueue(
  client: SQSClient,
  QueueUrl: string,
  handler: (event: SQSEvent) => Promise<SQSBatchResponse>,
): () => Promise<void> {
  const stopping = new AbortController()

  const settle = async ({ ReceiptHandle }: Message, failed: boolean): Promise<void> => {
    const message = { QueueUrl, ReceiptHandle }
    if (failed) await client.send(new ChangeMessageVisibilityCommand({ ...message, VisibilityTimeout: AGAIN_SECONDS }))
    else await client.send(new DeleteMessageCommand(message))
  }
  const receive = async (): Promise<Message[]> => {
    const wish = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: WAIT_SECONDS }
    return (await client.send(new ReceiveMessageCommand(wish))).Messages ?? []
  }
  const poll = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const messages = await receive()
      if (messages.length === 0) continue
      const failed = await handler({ Records: messages.map(recordOf) }).then(
        ({ batchItemFailures }) => new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)),
        () => new Set(messages.map(({ MessageId }) => MessageId ?? '')),
      )
      await Promise.all(messages.map((message) => settle(message, failed.has(message.MessageId ?? ''))))
    }
  }
  const running = poll()
  return async () => {
    stopping.abort()
    await running
  }
}

function recordOf({ MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '' }: Message): SQSRecord {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {
      ApproximateReceiveCount: '1',
      ApproximateFirstReceiveTimestamp: '0',
      SenderId: 'test',
      SentTimestamp: '0',
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:test',
    awsRegion: 'us-east-1',
  }
}
