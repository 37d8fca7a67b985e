import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { Construct } from 'constructs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { CloudFunction, type Ground } from './cloud-function.ts'
import { deadLetterQueue } from './dead-letter-queue.ts'

/** The clock: deadlines, commands that nobody acknowledged. */
export class Periodic extends Construct {
  readonly function: CloudFunction
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, ground: Ground) {
    super(scope, id)
    this.function = new CloudFunction(this, 'Function', {
      ...ground,
      entry: 'periodic',
      timeout: Duration.minutes(5),
      memorySize: 512,
    })
    ground.images.grantUse(this.function.role, 'GetObject', 'PutObject', 'DeleteObject')
    ground.fleet.grantPublish(this.function.role)

    this.deadLetters = deadLetterQueue(this, 'DeadLetters')
    const target = new LambdaFunction(this.function, {
      deadLetterQueue: this.deadLetters,
      maxEventAge: Duration.minutes(1), // the next one is due by then
      retryAttempts: 0,
    })
    new Rule(this, 'Minute', { schedule: Schedule.rate(Duration.minutes(1)), targets: [target] })
  }
}
