import { Duration } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Api } from './api.ts'
import type { CloudFunction } from './cloud-function.ts'
import type { Conductor } from './conductor.ts'
import type { Imports } from './imports.ts'
import type { Periodic } from './periodic.ts'
import type { Reports } from './reports.ts'
import type { Webhooks } from './webhooks.ts'

export interface Watched {
  api: Api
  conductor: Conductor
  reports: Reports
  periodic: Periodic
  webhooks: Webhooks
  imports: Imports
}

interface Rule {
  metric: IMetric
  /** Alarm at or above this; with `below`, under it. */
  at: number
  below?: boolean
  /** Periods in a row. */
  during?: number
  /** What is wrong, in a sentence, and the article of docs/runbook.md to read. */
  says: string
  article: string
}

/** Each alarm says what is wrong and which article of docs/runbook.md to read. Subscribe whoever is on call to `topic`. */
export class Alarms extends Construct {
  readonly topic: Topic

  constructor(scope: Construct, id: string, { api, conductor, reports, periodic, webhooks, imports }: Watched) {
    super(scope, id)
    this.topic = new Topic(this, 'Topic', { enforceSSL: true })

    this.#deadLetters('ConductorDeadLetters', conductor.deadLetters, 'conductor-dead-letters')
    this.#deadLetters('ReportsDeadLetters', reports.deadLetters, 'reports-dead-letters')
    this.#deadLetters('ReportsUndelivered', reports.undelivered, 'reports-undelivered')
    this.#deadLetters('PeriodicDeadLetters', periodic.deadLetters, 'periodic-dead-letters')
    this.#deadLetters('WebhooksDeadLetters', webhooks.deadLetters, 'webhooks-dead-letters')
    this.#deadLetters('ImportsDeadLetters', imports.deadLetters, 'imports-dead-letters')

    const functions = { api, conductor, reports, periodic, webhooks, imports }
    for (const [name, part] of Object.entries(functions)) this.#errors(name, part.function)

    this.#alarm('ApiFaults', {
      metric: api.gateway.metricServerError({ period: Duration.minutes(5), statistic: 'Sum' }),
      at: 5,
      says: 'The API answered 5xx.',
      article: 'api-faults',
    })
    this.#alarm('ConductorBehind', {
      metric: conductor.function.metric('IteratorAge', { period: Duration.minutes(1), statistic: 'Maximum' }),
      at: Duration.minutes(2).toMilliseconds(),
      during: 3,
      says: "The conductor is minutes behind the table's stream: operations start late.",
      article: 'conductor-behind',
    })
    this.#alarm('ReportsBehind', {
      metric: reports.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1) }),
      at: Duration.minutes(5).toSeconds(),
      during: 3,
      says: 'Reports wait for minutes: nodes show old states.',
      article: 'reports-behind',
    })
    this.#alarm('WebhooksBehind', {
      metric: webhooks.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1) }),
      at: Duration.minutes(15).toSeconds(),
      during: 3,
      says: "Webhooks' events wait for a courier, not for their receivers.",
      article: 'webhooks-behind',
    })
    this.#alarm('ImportsBehind', {
      metric: imports.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5) }),
      at: Duration.hours(1).toSeconds(),
      during: 3,
      says: 'Images that are to be fetched wait for others.',
      article: 'imports-behind',
    })
    this.#alarm('PeriodicSilent', {
      metric: periodic.function.metricInvocations({ period: Duration.minutes(5) }),
      at: 1,
      below: true,
      says: 'The periodic function has not run: deadlines pass unnoticed.',
      article: 'periodic-silent',
    })
    this.#alarm('ReportsDropped', {
      metric: reports.dropped,
      at: 1,
      says: 'An appliance sent what is no message of ours.',
      article: 'reports-dropped',
    })
  }

  #deadLetters(name: string, queue: Queue, article: string): void {
    this.#alarm(name, {
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
      at: 1,
      says: 'Work was given up after its last attempt.',
      article,
    })
  }

  #errors(name: string, watched: CloudFunction): void {
    this.#alarm(`${name[0]?.toUpperCase()}${name.slice(1)}Errors`, {
      metric: watched.metricErrors({ period: Duration.minutes(5) }),
      at: 3,
      says: `The ${name} function fails or times out.`,
      article: 'function-errors',
    })
  }

  #alarm(name: string, { metric, at, below, during, says, article }: Rule): void {
    const alarm = new Alarm(this, name, {
      metric,
      threshold: at,
      evaluationPeriods: during ?? 1,
      comparisonOperator: below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: `${says} docs/runbook.md#${article}`,
    })
    alarm.addAlarmAction(new SnsAction(this.topic))
  }
}
