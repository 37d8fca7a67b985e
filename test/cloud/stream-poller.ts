import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-dynamodb-streams'
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'

const IDLE_MS = 50
const AGAIN_MS = 300

export interface StreamSource {
  client: DynamoDBStreamsClient
  arn: string
  from: ShardIteratorType
  batchSize: number
  /** The event source's filter. */
  wanted?: (record: DynamoDBRecord) => boolean
}

type Handler = (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse>

/** Lambda's event source for a table's stream: per shard in order, and from the first failure again. */
export async function pollStream(source: StreamSource, handler: Handler): Promise<() => Promise<void>> {
  const { client, arn } = source
  const stopping = new AbortController()
  const polled = new Set<string>()
  const running: Array<Promise<void>> = []

  const start = async (from: ShardIteratorType): Promise<void> => {
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: arn }))
    for (const { ShardId } of StreamDescription?.Shards ?? []) {
      if (!ShardId || polled.has(ShardId)) continue
      polled.add(ShardId)
      const place = { StreamArn: arn, ShardId, ShardIteratorType: from }
      const { ShardIterator } = await client.send(new GetShardIteratorCommand(place))
      running.push(shard(ShardIterator))
    }
  }
  const shard = async (first: string | undefined): Promise<void> => {
    let iterator = first
    while (iterator && !stopping.signal.aborted) {
      const got = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: source.batchSize }))
      const records = (got.Records ?? []) as unknown as DynamoDBRecord[]
      await deliver(records.filter(source.wanted ?? (() => true)), handler, stopping.signal)
      iterator = got.NextShardIterator
      if (records.length === 0) await sleep(IDLE_MS)
    }
    // The shard was closed: its children hold what follows, from their beginning.
    if (!stopping.signal.aborted) await start('TRIM_HORIZON')
  }
  await start(source.from)
  return async () => {
    stopping.abort()
    await Promise.all(running)
  }
}

async function deliver(records: DynamoDBRecord[], handler: Handler, stopping: AbortSignal): Promise<void> {
  let rest = records
  while (rest.length > 0 && !stopping.aborted) {
    const failed = await handler({ Records: rest }).then(
      ({ batchItemFailures }) => batchItemFailures[0]?.itemIdentifier,
      () => rest[0]?.dynamodb?.SequenceNumber,
    )
    if (failed === undefined) return
    const at = rest.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed)
    rest = rest.slice(Math.max(at, 0))
    await sleep(AGAIN_MS)
  }
}
