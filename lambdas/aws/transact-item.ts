import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb'
import type { Expectation, Write } from '../platform.ts'
import { countName, NOTHING, rowOf } from './record.ts'

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

/** Each failed condition returns the item that stands there, so that the loser of a race needn't read again. */
export function transactItem(TableName: string, write: Write): TransactItem {
  const base = { TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const
  if ('put' in write) return { Put: { ...base, Item: rowOf(write.put), ...conditionOf(write.expect) } }
  if ('check' in write) {
    const { pk, sk } = write.check
    return { ConditionCheck: { ...base, Key: { pk, sk }, ...expressed(write.expect) } }
  }
  if ('count' in write) return { Update: { ...base, ...adding(write) } }
  const { pk, sk } = write.delete
  return { Delete: { ...base, Key: { pk, sk }, ...conditionOf(write.expect) } }
}

function adding({ count: { pk, sk }, by }: Extract<Write, { count: unknown }>) {
  const names = Object.keys(by)
  return {
    Key: { pk, sk },
    UpdateExpression: `SET #value = if_not_exists(#value, :nothing) ADD #version :one${names.map((_, at) => `, #c${at} :c${at}`).join('')}`,
    ExpressionAttributeNames: {
      '#value': 'value',
      '#version': 'version',
      ...Object.fromEntries(names.map((name, at) => [`#c${at}`, countName(name)])),
    },
    ExpressionAttributeValues: {
      ':nothing': NOTHING,
      ':one': 1,
      ...Object.fromEntries(names.map((name, at) => [`:c${at}`, by[name]])),
    },
  }
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
