import { Duration } from 'aws-cdk-lib'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { accept } from './accept.ts'
import { CloudFunction, type Ground } from './cloud-function.ts'
import { deadLetterQueue } from './dead-letter-queue.ts'

/** Woken by the table's stream: plans operations, publishes commands, lays events into webhooks' queues. */
export class Conductor extends Construct {
  readonly function: CloudFunction
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, ground: Ground) {
    super(scope, id)
    this.function = new CloudFunction(this, 'Function', {
      ...ground,
      entry: 'conductor',
      timeout: Duration.seconds(60),
      memorySize: 512,
    })
    ground.images.grantUse(this.function.role, 'GetObject', 'PutObject', 'DeleteObject')
    ground.fleet.grantPublish(this.function.role)
    this.deadLetters = deadLetterQueue(this, 'DeadLetters')

    this.function.addEventSource(
      new DynamoEventSource(ground.store.table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        // Only what is planned from and what is published; an appliance's signs of life alone would be most of the stream.
        filters: [
          FilterCriteria.filter({
            dynamodb: {
              Keys: {
                sk: {
                  S: [
                    ...FilterRule.or('node', 'allocation', 'server', 'webhook'),
                    ...FilterRule.beginsWith('command#'),
                    ...FilterRule.beginsWith('history#'),
                  ],
                },
              },
            },
          }),
        ],
        batchSize: 25,
        parallelizationFactor: 10, // order holds per partition key all the same
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        // A record that can't be handled holds up its shard: after about five minutes it gives way, and its node's deadline says so.
        retryAttempts: 8,
        maxRecordAge: Duration.hours(12),
        onFailure: new SqsDlq(this.deadLetters),
      }),
    )
    accept(this.function.role, { 'AwsSolutions-IAM5[Resource::*]': 'dynamodb:ListStreams knows no resource.' })
  }
}
