import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** The queue that feeds a function: one message names one thing to look after. */
export class SqsWaker {
  readonly #client: SQSClient
  readonly #queue: string

  constructor(client: SQSClient, queue: string) {
    this.#client = client
    this.#queue = queue
  }

  async wake(what: string): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#queue, MessageBody: what }))
  }
}
