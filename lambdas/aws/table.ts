import { TransactionCanceledException, type CancellationReason, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import { ConflictError, type IndexName, type Item, type Key, keyOf as keyOfWrite } from '../platform.ts'
import type { Page, Query, Table, Write } from '../platform.ts'
import { keyCondition, mayBe } from './key-condition.ts'
import { Patience } from './patience.ts'
import { itemOf, keyOf, type Row, rowOfAttributes } from './record.ts'
import { transactItem } from './transact-item.ts'

/** What passes by itself when tried again: two transactions on one item, or a partition above its rate. */
const PASSING = new Set(['None', 'TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])
const BATCH = 100 // BatchGetItem takes no more

export class DynamoTable implements Table {
  readonly #client: DynamoDBDocumentClient
  readonly #name: string

  constructor(client: DynamoDBClient, name: string) {
    this.#client = DynamoDBDocumentClient.from(client)
    this.#name = name
  }

  async get(key: Key): Promise<Item | undefined> {
    if (!mayBe(key)) return undefined
    const found = await this.#client.send(
      new GetCommand({ TableName: this.#name, Key: only(key), ConsistentRead: true }),
    )
    return found.Item && itemOf(found.Item as Row)
  }

  /** Reads one row more than asked for, so that `next` is there only when something follows. */
  async query(query: Query): Promise<Page> {
    const condition = keyCondition(query)
    if (!condition) return { items: [], next: undefined }
    const found: Item[] = []
    let start: Record<string, unknown> | undefined = condition.start
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#name,
          IndexName: query.index,
          ConsistentRead: query.index === undefined,
          KeyConditionExpression: condition.expression,
          ExpressionAttributeNames: condition.names,
          ExpressionAttributeValues: condition.values,
          ScanIndexForward: !query.descending,
          ExclusiveStartKey: start,
          Limit: query.limit + 1 - found.length,
        }),
      )
      const rows = (page.Items ?? []) as Row[]
      found.push(...(query.index ? await this.#itemsBehind(query.index, rows) : rows.map(itemOf)))
      start = page.LastEvaluatedKey
    } while (start && found.length <= query.limit)

    const items = found.slice(0, query.limit)
    const last = items.at(-1)
    if (!last || found.length <= query.limit) return { items, next: undefined }
    return { items, next: { key: only(last), ...(query.index && { at: last.by?.[query.index] }) } }
  }

  /** Always as a transaction, also of one write: its request token makes the SDK's own retries apply it once, where a
   * conditional put that was applied but not answered would meet itself and report a conflict. */
  async write(writes: Write[]): Promise<void> {
    const patience = new Patience()
    for (;;) {
      try {
        const items = writes.map((write) => transactItem(this.#name, write))
        await this.#client.send(new TransactWriteCommand({ TransactItems: items }))
        return
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error
        const reasons = error.CancellationReasons ?? []
        const conflict = conflictOf(reasons)
        if (conflict) throw conflict
        if (!reasons.every(({ Code }) => PASSING.has(Code ?? 'None')) || !(await patience.again())) {
          const keys = writes.map(keyOfWrite).map(({ pk, sk }) => `${pk} ${sk}`)
          throw new Error(`the table would not write ${keys.slice(0, 5).join(', ')}`, { cause: error })
        }
      }
    }
  }

  /** Indexes hold keys only, so that a write that leaves them alone (most do) costs nothing in any of them. Rows that the index
   * still shows but whose item has since moved or gone are left out. */
  async #itemsBehind(index: IndexName, rows: Row[]): Promise<Item[]> {
    const batches: Key[][] = []
    for (let at = 0; at < rows.length; at += BATCH) batches.push(rows.slice(at, at + BATCH).map(keyOf))
    const fetched = (await Promise.all(batches.map((keys) => this.#fetch(keys)))).flat()
    const byKey = new Map(fetched.map((row) => [JSON.stringify(keyOf(row)), row]))
    return rows.flatMap((shown) => {
      const row = byKey.get(JSON.stringify(keyOf(shown)))
      const same = row?.[`${index}_pk`] === shown[`${index}_pk`] && row?.[`${index}_sk`] === shown[`${index}_sk`]
      return row && same ? [itemOf(row)] : []
    })
  }

  async #fetch(keys: Key[]): Promise<Row[]> {
    const rows: Row[] = []
    const patience = new Patience()
    let wanted: Array<Record<string, unknown>> = keys.map(only)
    while (wanted.length > 0) {
      const got = await this.#client.send(
        new BatchGetCommand({ RequestItems: { [this.#name]: { Keys: wanted, ConsistentRead: true } } }),
      )
      rows.push(...((got.Responses?.[this.#name] ?? []) as Row[]))
      wanted = got.UnprocessedKeys?.[this.#name]?.Keys ?? []
      if (wanted.length > 0 && !(await patience.again())) {
        throw new Error(`the table kept ${wanted.length} of ${keys.length} items back: it is read above its rate`)
      }
    }
    return rows
  }
}

function conflictOf(reasons: CancellationReason[]): ConflictError | undefined {
  const index = reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed')
  if (index === -1) return undefined
  const current = reasons[index]?.Item
  return new ConflictError(index, current && itemOf(rowOfAttributes(current)))
}

function only({ pk, sk }: Key): { pk: string; sk: string } {
  return { pk, sk }
}
