import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { STACK, synthesise, unbundled } from './synthesise.ts'

interface Resource {
  Type: string
  Properties: Record<string, unknown>
}
type Statement = { Action: string | string[]; Resource: unknown; Effect: string }

let resources: Record<string, Resource>
const of = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type)
const propertiesOf = (type: string) => of(type).map(([, { Properties }]) => Properties)

beforeAll(() => {
  // cdk-nag runs in here and throws on a finding that nobody accepted.
  resources = synthesise(unbundled).getStackByName(STACK).template.Resources
}, 180_000)

describe('functions', () => {
  test('run on arm64 and Node 24', () => {
    const functions = propertiesOf('AWS::Lambda::Function')
    expect(functions).toHaveLength(6)
    for (const each of functions) expect(each).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] })
  })

  test('hold no right to everything but where IAM knows no resource', () => {
    const wide = propertiesOf('AWS::IAM::Policy')
      .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: Statement[] }).Statement)
      .filter(({ Resource }) => Resource === '*')
      .flatMap(({ Action }) => Action)
    expect(new Set(wide)).toEqual(
      new Set([
        'dynamodb:ListStreams',
        'iot:CreateCertificateFromCsr',
        'iot:DescribeEndpoint',
        'iot:AttachThingPrincipal',
        'iot:DetachThingPrincipal',
      ]),
    )
  })

  test('hold no right to every action of a service', () => {
    const statements = propertiesOf('AWS::IAM::Policy').flatMap(
      ({ PolicyDocument }) => (PolicyDocument as { Statement: Statement[] }).Statement,
    )
    for (const action of statements.flatMap(({ Action }) => Action)) expect(action).not.toContain('*')
  })

  test('are started again record by record, from the table and from the queue', () => {
    const mappings = propertiesOf('AWS::Lambda::EventSourceMapping')
    expect(mappings).toHaveLength(4)
    for (const each of mappings) expect(each).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'] })
  })
})

describe('the table', () => {
  test('can be restored, outlives the stack, and tells of both images', () => {
    const [[, table] = []] = of('AWS::DynamoDB::Table')
    expect(table).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      },
    })
  })
})

describe('queues', () => {
  test('each have a dead-letter queue, or are one', () => {
    const dead = new Set(
      JSON.stringify(resources).match(/"(?:deadLetterTargetArn|Destination|Arn)":\{"Fn::GetAtt":\["\w+/g),
    )
    const isDead = (id: string) => [...dead].some((text) => text.endsWith(`"${id}`))
    const errorQueues = JSON.stringify(
      propertiesOf('AWS::IoT::TopicRule').map(
        (rule) => (rule['TopicRulePayload'] as { ErrorAction: unknown }).ErrorAction,
      ),
    )
    for (const [id, { Properties }] of of('AWS::SQS::Queue')) {
      const served = 'RedrivePolicy' in Properties || isDead(id) || errorQueues.includes(id)
      expect(served, `${id} has no dead-letter queue and is none`).toBe(true)
    }
  })

  test('each have an alarm', () => {
    const watched = JSON.stringify(propertiesOf('AWS::CloudWatch::Alarm'))
    for (const [id] of of('AWS::SQS::Queue')) expect(watched, `${id} has no alarm`).toContain(`["${id}","QueueName"]`)
  })
})

test('each alarm names an article that the runbook has, and each article is named', () => {
  const runbook = readFileSync(join(import.meta.dirname, '../docs/runbook.md'), 'utf8')
  const articles = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
    title.toLowerCase().replaceAll(' ', '-'),
  )
  const named = propertiesOf('AWS::CloudWatch::Alarm').map(({ AlarmDescription }) => {
    const [, article] = /docs\/runbook\.md#([a-z-]+)$/.exec(String(AlarmDescription)) ?? []
    return article
  })
  expect(new Set(named)).toEqual(new Set(articles))
})

test('each alarm tells somebody', () => {
  for (const each of propertiesOf('AWS::CloudWatch::Alarm')) expect(each['AlarmActions']).toHaveLength(1)
})

test('an appliance may use its own topics only, as itself', () => {
  const [policy] = propertiesOf('AWS::IoT::Policy')
  const text = JSON.stringify(policy)
  expect(text).not.toMatch(/[*?]/)
  expect(text.match(/:(client|topic|topicfilter)\/[^"]*/g)).toEqual([
    ':client/${iot:Connection.Thing.ThingName}',
    ':topic/bloomery/v1/${iot:Connection.Thing.ThingName}/up',
    ':topicfilter/bloomery/v1/${iot:Connection.Thing.ThingName}/down',
    ':topic/bloomery/v1/${iot:Connection.Thing.ThingName}/down',
  ])
})

test('the bucket answers nobody without TLS or from outside', () => {
  const [bucket] = propertiesOf('AWS::S3::Bucket')
  expect(bucket).toMatchObject({
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
  })
  expect(JSON.stringify(propertiesOf('AWS::S3::BucketPolicy'))).toContain('"aws:SecureTransport":"false"')
})
