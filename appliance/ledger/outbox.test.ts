import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { report } from '../../contract/messages.ts'
import { settled } from '../testing/manual-clock.ts'
import { openLedger, type Ledger } from './ledger.ts'
import { openOutbox, type Outbox } from './outbox.ts'

const now = (): Date => new Date('2026-01-01T00:00:00.000Z')
let ledger: Ledger
let outbox: Outbox
beforeEach(() => {
  ledger = openLedger(':memory:')
  outbox = openOutbox(ledger, now, randomUUID)
})
afterEach(() => ledger.close())

function tell(count: number): void {
  for (let each = 0; each < count; each += 1)
    outbox.append({ kind: 'power', node: randomUUID(), power_state: 'power on' })
}
const numbers = (after = 0): number[] => outbox.pending(after, 100).map(({ seq }) => seq)

it('numbers reports from 1, and each is as the contract wants it', () => {
  tell(3)
  expect(numbers()).toEqual([1, 2, 3])
  for (const each of outbox.pending(0, 100)) expect(report.parse(each)).toEqual(each)
})

it('tells what comes after a number, and no more than asked for', () => {
  tell(5)
  expect(numbers(3)).toEqual([4, 5])
  expect(outbox.pending(1, 2).map(({ seq }) => seq)).toEqual([2, 3])
})

it('forgets what the cloud has, for good', () => {
  tell(3)
  outbox.received(2)
  expect(numbers()).toEqual([3])
  outbox.received(1)
  expect(numbers()).toEqual([3])
})

it('never gives a number twice, in no later life either', () => {
  tell(3)
  outbox.received(3)
  outbox = openOutbox(ledger, now, randomUUID)
  tell(1)
  expect(numbers()).toEqual([4])
})

it('on an empty disk tells all again above what the cloud counted before', () => {
  tell(2)
  const before = outbox.pending(0, 100).map(({ id }) => id)
  outbox.received(500)
  expect(outbox.pending(0, 100).map(({ seq, id }) => [seq, id])).toEqual([
    [501, before[0]],
    [502, before[1]],
  ])
  tell(1)
  expect(numbers()).toEqual([501, 502, 503])
})

it('goes on above what the cloud counted when nothing was waiting', () => {
  outbox.received(500)
  tell(1)
  expect(numbers()).toEqual([501])
})

it('calls its listener after the transaction, not within it', async () => {
  const seen: number[][] = []
  outbox.onAppend(() => seen.push(numbers()))
  ledger.transaction(() => {
    tell(1)
    expect(seen).toEqual([])
  })
  await settled()
  expect(seen).toEqual([[1]])
})
