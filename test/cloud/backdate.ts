import { type AttributeValue, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Aws } from './aws-emulators.ts'

const DAY_MS = 86_400_000

/** As if a resource had been made so many days earlier: in what is stored of it, and in the lists that it is in by that time. */
export async function backdate(
  { environment }: Pick<Aws, 'environment'>,
  table: string,
  word: string,
  uuid: string,
  days: number,
): Promise<void> {
  const client = new DynamoDBClient({
    region: environment['AWS_REGION'],
    endpoint: environment['AWS_ENDPOINT_URL_DYNAMODB'],
    credentials: {
      accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  })
  try {
    const Key = { pk: { S: `${word}#${uuid}` }, sk: { S: word } }
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))
    if (!Item) throw new Error(`no ${word} ${uuid} is stored`)
    const { created_at: made } = JSON.parse(Item['value']?.S ?? '') as { created_at: string }
    const earlier = new Date(Date.parse(made) - days * DAY_MS).toISOString()
    const changed = Object.entries(Item).map(([name, value]): [string, AttributeValue] => [
      name,
      value.S === undefined ? value : { S: value.S.replaceAll(made, earlier) },
    ])
    await client.send(new PutItemCommand({ TableName: table, Item: Object.fromEntries(changed) }))
  } finally {
    client.destroy()
  }
}
