import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { startFauxqs } from 'fauxqs'
import { newAuthority } from './authority.ts'
import { startDynamoDb } from './dynamodb-local.ts'
import { startIot } from './iot.ts'
import { type Mosquitto, type Rights, startMosquitto } from './mosquitto.ts'
import { permissionsOf, type Permits, TESTER } from './permissions.ts'
import { startTableDoor } from './table-door.ts'
import { startObjectStore } from './object-store.ts'
import { resolved, type Template } from './template.ts'
import { applyRule } from './topic-rule.ts'

const REGION = 'us-east-1'
const ACCOUNT = '000000000000'
const SECRET_KEY = 'for emulators only'

export interface Aws {
  /** As Lambda sets it for a function, with endpoints of the emulators. */
  environment: Record<string, string>
  /** What a reference in the template stands for here. */
  resolve(logicalId: string, attribute?: string): string
  streamArn: string
  /** DynamoDB Streams': event sources read them, with rights of their own. */
  streams: string
  sqs: SQSClient
  newQueue(name: string): string
  broker: Mosquitto
  /** PEM. */
  brokerAuthority: string
  stop(): Promise<void>
}

/** The stack's table, bucket, queues, rule and policies, on DynamoDB Local, fauxqs and Mosquitto. */
export async function startAws(template: Template): Promise<Aws> {
  const stops: Array<() => Promise<unknown>> = []
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting
    stops.unshift(() => part.stop())
    return part
  }
  const stop = async () => {
    for (const each of stops) await each()
  }
  try {
    const authority = await newAuthority()
    const dynamodb = await started(startDynamoDb())
    const fauxqs = await started(startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: REGION }))
    const emulator = `http://127.0.0.1:${fauxqs.port}`
    const broker = await started(startMosquitto(authority))
    const names = new Map<string, string>()
    const resolve = (id: string, attribute?: string) =>
      attribute ? (names.get(`${id}.${attribute}`) ?? `arn:aws:test:${REGION}:${ACCOUNT}:${id}`) : (names.get(id) ?? id)
    names.set('AWS::Region', REGION).set('AWS::AccountId', ACCOUNT).set('AWS::Partition', 'aws')

    const permits = lazily(() => permissionsOf(template, resolve))
    const store = await started(startObjectStore(emulator, SECRET_KEY, permits))
    const tables = await started(startTableDoor(dynamodb.endpoint, permits, (table) => resolve(table, 'Arn')))
    const iot = await started(
      startIot(authority, broker, permits, (policy, thing) => rightsOf(template, resolve, policy, thing)),
    )
    for (const [id] of template.of('AWS::IoT::Policy')) {
      names.set(`${id}.Arn`, `arn:aws:iot:${REGION}:${ACCOUNT}:policy/${id}`)
    }
    const environment = {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: TESTER,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint,
      AWS_ENDPOINT_URL_S3: store.endpoint,
      AWS_ENDPOINT_URL_SQS: emulator,
      AWS_ENDPOINT_URL_IOT: iot.endpoint,
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.endpoint,
    }
    const credentials = { accessKeyId: TESTER, secretAccessKey: SECRET_KEY }

    const [bucket] = template.one('AWS::S3::Bucket')
    const { bucketName } = fauxqs.createBucket(bucket.toLowerCase())
    names.set(bucket, bucketName).set(`${bucket}.Arn`, `arn:aws:s3:::${bucketName}`)
    const queues = template
      .of('AWS::SQS::Queue')
      .toSorted(([, { Properties }]) => ('RedrivePolicy' in Properties ? 1 : -1))
    for (const [id, { Properties }] of queues) {
      const attributes = 'RedrivePolicy' in Properties && {
        RedrivePolicy: JSON.stringify(resolved(Properties['RedrivePolicy'], resolve)),
      }
      const { queueUrl, queueArn } = fauxqs.createQueue(id, attributes ? { attributes } : {})
      names.set(id, queueUrl).set(`${id}.Arn`, queueArn)
    }
    const sqs = new SQSClient({ region: REGION, endpoint: emulator, credentials })
    const [, rule] = template.one('AWS::IoT::TopicRule')
    const { sql, queueUrl } = ruleOf(resolved(rule.Properties['TopicRulePayload'], resolve))
    await applyRule(sql, broker.cloud, sqs, queueUrl)

    const [table, { Properties }] = template.one('AWS::DynamoDB::Table')
    const client = new DynamoDBClient({ region: REGION, endpoint: dynamodb.endpoint, credentials })
    const made = await client.send(new CreateTableCommand(tableOf(table, Properties)))
    names.set(table, table).set(`${table}.Arn`, `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${table}`)
    const newQueue = (name: string) => fauxqs.createQueue(name).queueUrl
    const streamArn = made.TableDescription?.LatestStreamArn ?? ''
    return {
      environment,
      resolve,
      streamArn,
      streams: dynamodb.endpoint,
      sqs,
      newQueue,
      broker,
      brokerAuthority: authority.certificate,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Names are known only once everything is made. */
function lazily(make: () => Permits): Permits {
  let made: Permits | undefined
  return (...asked) => (made ??= make())(...asked)
}

function tableOf(TableName: string, properties: Record<string, unknown>): CreateTableCommandInput {
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, BillingMode, StreamSpecification } =
    properties as unknown as CreateTableCommandInput
  const shape = { TableName, KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, BillingMode }
  return { ...shape, StreamSpecification: { ...StreamSpecification, StreamEnabled: true } }
}

function ruleOf(payload: unknown): { sql: string; queueUrl: string } {
  const { Sql, Actions } = payload as { Sql: string; Actions: Array<{ Sqs: { QueueUrl: string } }> }
  return { sql: Sql, queueUrl: Actions[0]?.Sqs.QueueUrl ?? '' }
}

/** What the stack's policy of that name lets a thing of that name do. */
function rightsOf(template: Template, resolve: Aws['resolve'], policy: string, thing: string): Rights {
  const found = template.of('AWS::IoT::Policy').find(([id]) => id === policy)
  if (!found) throw new Error(`the stack has no IoT policy ${policy}`)
  const { Statement } = resolved(found[1].Properties['PolicyDocument'], resolve) as {
    Statement: Array<{ Action: string; Resource: string }>
  }
  const names = (action: string) =>
    Statement.filter(({ Action }) => Action === action).map(({ Resource }) =>
      Resource.slice(Resource.indexOf('/') + 1).replaceAll('${iot:Connection.Thing.ThingName}', thing),
    )
  return { publish: names('iot:Publish'), subscribe: names('iot:Subscribe') }
}
