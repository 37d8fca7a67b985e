import { expect, it } from 'vitest'
import { readUplink } from './read-uplink.ts'

const uuid = '7f0f5a6c-54c5-4e34-9a55-0d1a7b7f9d10'
const at = '2026-11-23T10:00:00.000Z'
const power = (seq: number) => ({ id: uuid, seq, at, kind: 'power', node: uuid, power_state: 'power on' })
const read = (message: unknown) => readUplink(JSON.stringify(message))

it('reads a message whole', () => {
  expect(read({ v: 1, kind: 'reports', reports: [power(1), power(2)] })).toMatchObject({
    message: { reports: [{ seq: 1 }, { seq: 2 }] },
    unread: [],
  })
})

it('passes over reports that are none, by their numbers', () => {
  const strange = [{ ...power(2), kind: 'a kind of next year' }, { ...power(3), power_state: 'glowing' }, { seq: 4 }]
  expect(read({ v: 1, kind: 'reports', reports: [power(1), ...strange, power(5)] })).toMatchObject({
    message: { reports: [{ seq: 1 }, { seq: 5 }] },
    unread: [2, 3, 4],
  })
})

it.each([
  ['no JSON', '{'],
  ['of another version', JSON.stringify({ v: 2, kind: 'reports', reports: [power(1)] })],
  ['without numbers', JSON.stringify({ v: 1, kind: 'reports', reports: [{ kind: 'power' }] })],
  ['of no kind', JSON.stringify({ v: 1, kind: 'gossip' })],
])('what is %s is no message', (_, body) => {
  expect(readUplink(body)).toBeUndefined()
})
