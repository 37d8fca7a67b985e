import { Duration } from 'aws-cdk-lib'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { accept } from './accept.ts'
import { CloudFunction, type Ground } from './cloud-function.ts'
import { deadLetterQueue } from './dead-letter-queue.ts'

/** Events to those who want them by HTTP: one message wakes the courier of one webhook. The function is in no VPC, so that it reaches
 * the public Internet and nothing of ours. */
export class Webhooks extends Construct {
  readonly function: CloudFunction
  readonly deadLetters: Queue
  readonly queue: Queue
  readonly #key: Secret

  constructor(scope: Construct, id: string, ground: Ground) {
    super(scope, id)
    const timeout = Duration.seconds(60)
    this.function = new CloudFunction(this, 'Function', { ...ground, entry: 'courier', timeout, memorySize: 256 })
    this.#key = new Secret(this, 'Key', {
      description: "What webhooks' secrets are kept under",
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    })
    accept(this.#key, { 'AwsSolutions-SMG4': 'A new key makes every stored secret unreadable.' })
    this.deadLetters = deadLetterQueue(this, 'DeadLetters')
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()), // as Lambda's guide has it
      retentionPeriod: Duration.hours(1), // the timer wakes again what is still due
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 3 },
    })
    // One at a time, so that a slow receiver takes up one function and no other webhook's time.
    this.function.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: 50 }),
    )
    this.wakenBy(this.function)
    this.readBy(this.function)
  }

  /** Functions that wake couriers. */
  wakenBy(caller: CloudFunction): void {
    this.queue.grantSendMessages(caller)
    caller.addEnvironment('COURIERS', this.queue.queueUrl)
  }

  /** Functions that seal or open webhooks' secrets. */
  readBy(caller: CloudFunction): void {
    this.#key.grantRead(caller)
    caller.addEnvironment('WEBHOOK_KEY', this.#key.secretArn)
  }
}
