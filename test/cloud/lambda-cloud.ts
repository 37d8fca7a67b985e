import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import type { DynamoDBRecord } from 'aws-lambda'
import { hash } from 'bcryptjs'
import { type Aws, startAws } from './aws-emulators.ts'
import { backdate } from './backdate.ts'
import { matches } from './event-filter.ts'
import { startGateway } from './http-gateway.ts'
import { type LambdaFunction, startFunction } from './lambda-function.ts'
import { pollQueue } from './queue-poller.ts'
import { startSecrets } from './secrets.ts'
import { pollStream } from './stream-poller.ts'
import { resolved, synthesised, type Template } from './template.ts'

/** As often as standalone ticks: deadlines in tests are shorter than AWS's minute. */
const TICK_MS = 15_000

export interface LambdaCloud {
  endpoint: string
  /** For HTTP basic. */
  user: { name: string; password: string }
  broker: string
  /** PEM that signs the broker. */
  authorities: string
  /** As if this resource were so many days older. */
  backdate(word: string, uuid: string, days: number): Promise<void>
  /** The work of each minute, at once. */
  tick(): Promise<unknown>
  /** What a function is told, by which its rights are found too. */
  environmentOf(name: keyof Functions): Record<string, string>
  /** What the functions logged last, to be shown when a test fails. */
  log(): string[]
  stop(): Promise<void>
}

type Functions = Record<
  'api' | 'conductor' | 'reports' | 'periodic' | 'webhooks' | 'imports',
  LambdaFunction & { environment: Record<string, string> }
>

/** The cloud as it is deployed: the bundles that cdk makes, with the environment and event sources that the template gives them. */
export async function startLambdaCloud(): Promise<LambdaCloud> {
  const stops: Array<() => Promise<unknown>> = []
  const stop = async () => {
    for (const each of stops) await each()
  }
  try {
    const template = synthesised('bundled')
    stops.unshift(() => rm(template.directory, { recursive: true }))
    const aws = await startAws(template)
    stops.unshift(() => aws.stop())
    const user = { name: 'operator', password: 'correct horse' }
    const users = `${user.name}:${await hash(user.password, 4)}\n`
    const secrets = await startSecrets(secretsOf(template, aws, users))
    stops.unshift(() => secrets.stop())
    const home = await mkdtemp(join(tmpdir(), 'bloomery-lambda-'))
    stops.unshift(() => rm(home, { recursive: true }))
    const ca = join(home, 'broker.pem')
    await writeFile(ca, aws.brokerAuthority)
    const environment = {
      ...aws.environment,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      NODE_EXTRA_CA_CERTS: ca,
    }
    const functions = await startFunctions(template, aws, environment, stops)
    const gateway = await startGateway((event) => functions.api.invoke(event))
    stops.unshift(() => gateway.stop())
    stops.unshift(...(await startSources(template, aws, functions)))
    return {
      endpoint: gateway.endpoint,
      user,
      broker: `mqtts://${aws.broker.address}`,
      authorities: aws.brokerAuthority,
      backdate: (...of) => backdate(aws, template.one('AWS::DynamoDB::Table')[0], ...of),
      tick: () => functions.periodic.invoke({}),
      environmentOf: (name) => functions[name].environment,
      log: () => Object.entries(functions).flatMap(([name, { log }]) => log.map((line) => `${name}: ${line}`)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startFunctions(
  template: Template,
  aws: Aws,
  environment: Record<string, string>,
  stops: Array<() => Promise<unknown>>,
): Promise<Functions> {
  const started: Partial<Functions> = {}
  for (const [id, { Properties }] of template.of('AWS::Lambda::Function')) {
    const { Variables } = resolved(Properties['Environment'], aws.resolve) as { Variables: Record<string, string> }
    const { S3Key } = Properties['Code'] as { S3Key: string }
    const bundle = join(template.directory, `asset.${S3Key.replace('.zip', '')}`, 'index.mjs')
    const own = { ...environment, ...Variables, AWS_LAMBDA_FUNCTION_NAME: id, AWS_ACCESS_KEY_ID: id }
    const running = await startFunction(bundle, own, Number(Properties['Timeout']) * 1000)
    stops.unshift(() => running.stop())
    started[id.replace(/Function.*/, '').toLowerCase() as keyof Functions] = { ...running, environment: own }
  }
  const { api, conductor, reports, periodic, webhooks, imports } = started
  if (!api || !conductor || !reports || !periodic || !webhooks || !imports)
    throw new Error(`the stack's functions are ${Object.keys(started).join()}`)
  return { api, conductor, reports, periodic, webhooks, imports }
}

async function startSources(template: Template, aws: Aws, functions: Functions): Promise<Array<() => Promise<void>>> {
  const sources = template.of('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties)
  const onStream = sources.find((each) => 'StartingPosition' in each)
  if (!onStream) throw new Error('the stack lacks an event source for its stream')

  const { Filters } = onStream['FilterCriteria'] as { Filters: Array<{ Pattern: string }> }
  const patterns = Filters.map(({ Pattern }) => JSON.parse(Pattern))
  const credentials = {
    accessKeyId: aws.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: aws.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  }
  const streams = {
    client: new DynamoDBStreamsClient({
      region: aws.environment['AWS_REGION'],
      endpoint: aws.streams,
      credentials,
    }),
    arn: aws.streamArn,
    from: 'TRIM_HORIZON' as const,
    batchSize: Number(onStream['BatchSize']),
    wanted: (record: DynamoDBRecord) => patterns.some((pattern) => matches(pattern, record)),
  }
  const stopStream = await pollStream(streams, (event) => functions.conductor.invoke(event))

  const queues = sources
    .filter((each) => !('StartingPosition' in each))
    .map(({ EventSourceArn, FunctionName }) => {
      const [queue, name] = [
        idOf(EventSourceArn),
        idOf(FunctionName)
          .replace(/Function.*/, '')
          .toLowerCase(),
      ]
      const served = functions[name as keyof Functions]
      return pollQueue(aws.sqs, aws.resolve(queue), (event) => served.invoke(event))
    })

  const timer = setInterval(() => {
    // A tick that fails is logged by its function, and the next does its work: as with EventBridge.
    functions.periodic.invoke({}).catch(() => undefined)
  }, TICK_MS)
  return [stopStream, ...queues, async () => clearInterval(timer)]
}

/** The logical id that `Ref` or `Fn::GetAtt` names. */
function idOf(reference: unknown): string {
  const { Ref, 'Fn::GetAtt': attribute } = reference as { Ref?: string; 'Fn::GetAtt'?: [string, string] }
  return Ref ?? attribute?.[0] ?? ''
}

/** Those that people fill in hold `users`, the others what Secrets Manager makes up. */
function secretsOf(template: Template, aws: Aws, users: string): Record<string, string> {
  const secrets = template.of('AWS::SecretsManager::Secret')
  return Object.fromEntries(
    secrets.map(([id, { Properties }]) => [
      aws.resolve(id),
      'GenerateSecretString' in Properties ? randomBytes(48).toString('base64url') : users,
    ]),
  )
}
