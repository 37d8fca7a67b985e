import { Duration } from 'aws-cdk-lib'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { CloudFunction, type Ground } from './cloud-function.ts'
import { deadLetterQueue } from './dead-letter-queue.ts'

/** Images of other web servers into the bucket: one message is one image, which is fetched for as long as a function may run, and handed
 * on by another message. The function is in no VPC, so that it reaches the public Internet and nothing of ours. */
export class Imports extends Construct {
  readonly function: CloudFunction
  readonly deadLetters: Queue
  readonly queue: Queue

  constructor(scope: Construct, id: string, ground: Ground) {
    super(scope, id)
    const timeout = Duration.minutes(15)
    // Two parts of 64 MiB are in memory.
    this.function = new CloudFunction(this, 'Function', { ...ground, entry: 'imports', timeout, memorySize: 1024 })
    ground.images.grantUse(this.function.role, 'GetObject', 'PutObject', 'DeleteObject', 'AbortMultipartUpload')
    this.deadLetters = deadLetterQueue(this, 'DeadLetters')
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()), // as Lambda's guide has it
      retentionPeriod: Duration.hours(6), // the timer wakes again what nobody is at
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 3 },
    })
    this.function.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: 10 }),
    )
    this.wakenBy(this.function)
  }

  /** Functions that ask for an image. */
  wakenBy(caller: CloudFunction): void {
    this.queue.grantSendMessages(caller)
    caller.addEnvironment('IMPORTS', this.queue.queueUrl)
  }
}
