import { callerOf, startDoor } from './door.ts'
import type { Permits } from './permissions.ts'
import type { Serving } from './serve.ts'

type Part = Record<string, { TableName?: string }>
interface Call {
  TableName?: string
  IndexName?: string
  RequestItems?: Record<string, unknown>
  TransactItems?: Part[]
}

const inTransaction: Record<string, string> = {
  Put: 'PutItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Update: 'UpdateItem',
}

/** DynamoDB's door before DynamoDB Local, which asks nobody for rights. `arn` is a table's. */
export async function startTableDoor(
  emulator: string,
  permits: Permits,
  arn: (table: string) => string,
): Promise<Serving> {
  return startDoor(emulator, (knock) => {
    const target = String(knock.headers['x-amz-target'] ?? '').split('.')[1] ?? ''
    const denied = needed(target, JSON.parse(knock.body.toString() || '{}') as Call, arn).find(
      ([action, resource]) => !permits(callerOf(knock), action, resource),
    )
    if (!denied) return undefined
    const Message = `not authorized to perform: ${denied.join(' on resource: ')}`
    const body = JSON.stringify({ __type: 'com.amazonaws.dynamodb#AccessDeniedException', Message })
    return { status: 400, type: 'application/x-amz-json-1.0', body }
  })
}

/** The actions that a call counts as, each with its resource. */
function needed(target: string, call: Call, arn: (table: string) => string): Array<[string, string]> {
  if (call.TransactItems) {
    return call.TransactItems.flatMap(Object.entries).map(([kind, { TableName = '' }]) => [
      `dynamodb:${inTransaction[kind] ?? kind}`,
      arn(TableName),
    ])
  }
  const tables = call.RequestItems ? Object.keys(call.RequestItems) : [call.TableName ?? '']
  const index = call.IndexName ? `/index/${call.IndexName}` : ''
  return tables.map((table) => [`dynamodb:${target}`, arn(table) + index])
}
