import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Couriers } from '../platform.ts'

/** The queue that feeds the courier function: one message is one webhook to look after. */
export class SqsCouriers implements Couriers {
  readonly #client: SQSClient
  readonly #queue: string

  constructor(client: SQSClient, queue: string) {
    this.#client = client
    this.#queue = queue
  }

  async wake(webhook: string): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#queue, MessageBody: webhook }))
  }
}
