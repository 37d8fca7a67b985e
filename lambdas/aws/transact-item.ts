import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb'
import type { Expectation, Write } from '../platform.ts'
import { rowOf } from './record.ts'

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

/** Each failed condition returns the item that stands there, so that the loser of a race needn't read again. */
export function transactItem(TableName: string, write: Write): TransactItem {
  const base = { TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const
  if ('put' in write) return { Put: { ...base, Item: rowOf(write.put), ...conditionOf(write.expect) } }
  if ('check' in write) {
    const { pk, sk } = write.check
    return { ConditionCheck: { ...base, Key: { pk, sk }, ...expressed(write.expect) } }
  }
  const { pk, sk } = write.delete
  return { Delete: { ...base, Key: { pk, sk }, ...conditionOf(write.expect) } }
}

function conditionOf(expect: Expectation | undefined): Partial<ReturnType<typeof expressed>> {
  return expect === undefined ? {} : expressed(expect)
}

interface Condition {
  ConditionExpression: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Record<string, number>
}

function expressed(expect: Expectation): Condition {
  if (expect === 'absent') return { ConditionExpression: 'attribute_not_exists(pk)' }
  if (expect === 'present') return { ConditionExpression: 'attribute_exists(pk)' }
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': expect },
  }
}
