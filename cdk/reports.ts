import { Duration, Stack } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { topics } from '../contract/topics.ts'
import { CloudFunction, type Ground } from './cloud-function.ts'
import { deadLetterQueue } from './dead-letter-queue.ts'

/** What appliances say: broker → rule → queue → function. */
export class Reports extends Construct {
  readonly function: CloudFunction
  readonly queue: Queue
  readonly deadLetters: Queue
  /** What the rule could not put into the queue. */
  readonly undelivered: Queue
  /** Messages that were dropped because no attempt would have helped. */
  readonly dropped: Metric

  constructor(scope: Construct, id: string, ground: Ground) {
    super(scope, id)
    const timeout = Duration.seconds(30)
    this.function = new CloudFunction(this, 'Function', { ...ground, entry: 'reports', timeout, memorySize: 512 })
    ground.images.grantUse(this.function.role, 'GetObject', 'PutObject', 'DeleteObject')
    ground.fleet.grantPublish(this.function.role)
    ground.fleet.grantEnrol(this.function.role)

    this.dropped = new MetricFilter(this, 'Poison', {
      logGroup: this.function.logGroup,
      filterPattern: FilterPattern.booleanValue('$.poison', true),
      metricNamespace: 'Bloomery',
      metricName: 'DroppedUplinks',
      metricValue: '1',
      defaultValue: 0,
    }).metric({ period: Duration.minutes(5), statistic: 'Sum' })

    this.deadLetters = deadLetterQueue(this, 'DeadLetters')
    this.undelivered = deadLetterQueue(this, 'Undelivered')
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()), // as Lambda's guide has it
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    })
    this.function.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 50 }),
    )

    const role = new Role(this, 'RuleRole', { assumedBy: new ServicePrincipal('iot.amazonaws.com') })
    this.queue.grantSendMessages(role)
    this.undelivered.grantSendMessages(role)
    const sqs = (queue: Queue) => ({ roleArn: role.roleArn, queueUrl: queue.queueUrl, useBase64: false })
    new CfnTopicRule(this, 'Rule', {
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        // base64, because the broker carries any bytes and the function is to judge them; the topic's third part is whose they are,
        // which the appliance's policy vouches for.
        sql: `SELECT encode(*, 'base64') AS payload, topic(3) AS appliance FROM '${topics.everyUp}'`,
        actions: [{ sqs: sqs(this.queue) }],
        errorAction: { sqs: sqs(this.undelivered) },
        description: `${Stack.of(this).stackName}: appliances' reports into their queue`,
      },
    })
  }
}
