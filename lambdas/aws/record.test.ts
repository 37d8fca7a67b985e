import { expect, test } from 'vitest'
import { changeOf } from './change.ts'
import { itemOf, rowOf } from './record.ts'

const item = {
  pk: 'node#1',
  sk: 'node',
  version: 3,
  value: { name: '', extra: { list: [null, 1.5e-7, 'ß\u{1F680}'] } },
  by: { all: { pk: 'nodes', sk: '2026#1' }, due: { pk: 'due', sk: '2027' } },
  expires: 1_900_000_000,
}

test('an item comes back from its row as it was', () => {
  expect(itemOf(rowOf(item))).toEqual(item)
  expect(itemOf(rowOf({ pk: 'a', sk: 'b', version: 1, value: null }))).toEqual({
    pk: 'a',
    sk: 'b',
    version: 1,
    value: null,
  })
})

test('a value nested deeper than DynamoDB nests is stored', () => {
  let value: unknown = 'core'
  for (let depth = 0; depth < 60; depth++) value = { value }
  expect(itemOf(rowOf({ ...item, value })).value).toEqual(value)
})

test('a value that DynamoDB would refuse is named, with its size', () => {
  expect(() => rowOf({ ...item, value: 'ä'.repeat(180 * 1024) })).toThrow(
    'item node#1 node: its value has 368642 bytes, at most 358400 can be stored',
  )
})

test('a stream record tells what the item was and is', () => {
  const image = (version: string) => ({
    pk: { S: 'node#1' },
    sk: { S: 'node' },
    version: { N: version },
    value: { S: '{"state":"enroll"}' },
    state_pk: { S: 'state#enroll' },
    state_sk: { S: '1' },
  })
  const Keys = { pk: { S: 'node#1' }, sk: { S: 'node' } }
  expect(changeOf({ dynamodb: { Keys, OldImage: image('1'), NewImage: image('2') } })).toEqual({
    key: { pk: 'node#1', sk: 'node' },
    before: expect.objectContaining({ version: 1, by: { state: { pk: 'state#enroll', sk: '1' } } }),
    after: expect.objectContaining({ version: 2, value: { state: 'enroll' } }),
  })
  expect(changeOf({ dynamodb: { Keys, OldImage: image('2') } }).after).toBeUndefined()
  expect(() => changeOf({ eventID: '7' })).toThrow('stream record 7 has no keys')
})
