import { rm } from 'node:fs/promises'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { connectAsync } from 'mqtt'
import { afterAll } from 'vitest'
import { topics } from '../../contract/topics.ts'
import { awsPlatform } from '../../lambdas/aws/platform.ts'
import { handleStream } from '../../lambdas/aws/stream-batch.ts'
import { handleUplinks } from '../../lambdas/aws/uplink-batch.ts'
import type { Platform } from '../../lambdas/platform.ts'
import { type Aws, startAws } from '../cloud/aws-emulators.ts'
import { pollQueue } from '../cloud/queue-poller.ts'
import { pollStream } from '../cloud/stream-poller.ts'
import { synthesised } from '../cloud/template.ts'
import { newRequest } from './certificate-request.ts'
import { platformContract, type PlatformUnderTest, type Site, type Stop } from './platform.ts'

const log = { info() {}, warn() {}, error() {} }

/** The table, queues, bucket and policies that the stack describes, and the adapters that its functions use. */
async function openAws(): Promise<PlatformUnderTest> {
  const template = synthesised('unbundled')
  const aws = await startAws(template)
  Object.assign(process.env, aws.environment, { POWERTOOLS_LOG_LEVEL: 'SILENT' })
  const platform = awsPlatform({
    TABLE: aws.resolve(template.one('AWS::DynamoDB::Table')[0]),
    BLOBS: aws.resolve(template.one('AWS::S3::Bucket')[0]),
    APPLIANCE_POLICY: aws.resolve(template.one('AWS::IoT::Policy')[0]),
  })
  const [[reports] = ['']] = template
    .of('AWS::SQS::Queue')
    .filter(([, { Properties }]) => 'RedrivePolicy' in Properties)
  const streams = new DynamoDBStreamsClient({ endpoint: aws.streams })
  const source = { client: streams, arn: aws.streamArn, from: 'LATEST', batchSize: 25 } as const
  const QueueUrl = aws.newQueue('test')

  const stops = new Set<Stop>()
  const stoppable = (stop: Stop): Stop => {
    stops.add(stop)
    return stop
  }
  return {
    platform,
    subscribe: async (handler) => stoppable(await pollStream(source, (event) => handleStream(event, handler, log))),
    queue: {
      // In base64, as the topic rule sends: the emulator refuses characters beyond U+FFFF, which SQS takes.
      async send(body) {
        const MessageBody = Buffer.from(body).toString('base64')
        await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
      },
    },
    consume: async (handler) =>
      stoppable(
        pollQueue(aws.sqs, QueueUrl, async ({ Records }) => {
          const failed = await handler(Records.map(({ body }) => Buffer.from(body, 'base64').toString()))
          return { batchItemFailures: failed.map((index) => ({ itemIdentifier: Records[index]?.messageId ?? '' })) }
        }),
      ),
    uplinks: async (handler) =>
      stoppable(pollQueue(aws.sqs, aws.resolve(reports), (event) => handleUplinks(event, handler))),
    join: (appliance) => joined(aws, platform, appliance),
    brokerAuthority: aws.brokerAuthority,
    async close() {
      for (const stop of stops) await stop()
      await aws.stop()
      await rm(template.directory, { recursive: true })
    },
  }
}

async function joined(aws: Aws, platform: Platform, appliance: string): Promise<Site> {
  const { csr, privateKey } = await newRequest()
  const { broker, certificate } = await platform.identity.issue(appliance, csr, 365)
  const client = await connectAsync(broker, {
    clientId: appliance,
    key: privateKey,
    cert: certificate,
    ca: aws.brokerAuthority,
    reconnectPeriod: 0,
  })
  const gone = new Promise<never>((_, reject) => {
    client.once('close', () => reject(new Error('the broker closed the connection')))
  })
  gone.catch(() => undefined)
  client.on('error', () => {}) // of a connection that was ended in the midst of a packet: `gone` tells
  const received: string[] = []
  client.on('message', (_, payload) => received.push(payload.toString()))
  await client.subscribeAsync(topics.down(appliance), { qos: 1 })
  return {
    received,
    publish: async (payload) => {
      await Promise.race([client.publishAsync(topics.up(appliance), payload, { qos: 1 }), gone])
    },
    close: () => client.endAsync(true),
  }
}

/** Started once for all the suite's parts: each uses keys of its own. */
let opened: Promise<PlatformUnderTest> | undefined
afterAll(async () => (await opened)?.close())

platformContract('aws', async () => {
  opened ??= openAws()
  return { ...(await opened), close: () => Promise.resolve() }
})
