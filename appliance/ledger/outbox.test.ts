import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { report, type Report } from '../../contract/messages.ts'
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

describe('in a very long cut', () => {
  const node = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
  const all = (): Report[] => outbox.pending(0, 1_000_000)

  it('what later reports make needless goes, without gaps in the numbers, and how much is said', () => {
    outbox = openOutbox(ledger, now, randomUUID, 200)
    for (let each = 0; each < 5000; each += 1)
      outbox.append({ kind: 'power', node: node(each % 50), power_state: each % 100 < 50 ? 'power on' : 'power off' })
    outbox.append({ kind: 'bmc', node: node(1), answers: false, text: 'silence' })
    const waiting = all()
    expect(waiting.length).toBeLessThanOrEqual(50 + 200 + 2)
    expect(waiting.map(({ seq }) => seq)).toEqual(waiting.map((_, index) => index + 1))
    for (let of = 0; of < 50; of += 1)
      expect(waiting.findLast((each) => each.kind === 'power' && each.node === node(of))).toMatchObject({
        power_state: 'power off',
      })
    const said = waiting.filter((each) => each.kind === 'notice')
    expect(said).toHaveLength(1)
    expect(Number(/dropped (\d+) of its reports/.exec(said[0]!.text)![1])).toBe(5001 + 1 - waiting.length)
    for (const each of waiting) expect(report.parse(each)).toEqual(each)
  })

  it('nothing of a kind goes that nothing replaces', () => {
    outbox = openOutbox(ledger, now, randomUUID, 10)
    const sealed = { $sealed: { v: 1, iv: 'AAAAAAAAAAAAAAAA', box: 'AAAA', to: {} } }
    for (let each = 0; each < 40; each += 1)
      outbox.append({
        kind: 'secret',
        node: node(1),
        generation: 1,
        plan: node(each),
        key: 'k',
        value: sealed,
      } as never)
    expect(all().map(({ kind }) => kind)).toEqual(Array.from({ length: 40 }, () => 'secret'))
  })

  it('anybody’s noise does not push out what counts', () => {
    outbox = openOutbox(ledger, now, randomUUID, 500)
    tell(20)
    for (let each = 0; each < 3000; each += 1)
      outbox.append({ kind: 'unknown_machine', address: '52:54:00:00:00:01', detail: `${each}` })
    const waiting = all()
    expect(waiting.filter(({ kind }) => kind === 'power')).toHaveLength(20)
    expect(waiting.length).toBeLessThan(20 + 256 + 500 + 2)
    expect(waiting.at(-1)).toMatchObject({ detail: '2999' })
  })

  it('a number that was told stays what it was, whatever comes, and the last word on each node is kept', () => {
    const act = fc.oneof(
      { weight: 20, arbitrary: fc.record({ node: fc.nat(4), on: fc.boolean() }) },
      { weight: 2, arbitrary: fc.constant('tell' as const) },
      { weight: 1, arbitrary: fc.constant('receive' as const) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
    )
    fc.assert(
      fc.property(fc.array(act, { minLength: 50, maxLength: 400 }), (acts) => {
        ledger.close()
        ledger = openLedger(':memory:')
        outbox = openOutbox(ledger, now, randomUUID, 12)
        const told = new Map<number, string>()
        const last = new Map<string, string>()
        let through = 0
        for (const each of acts) {
          if (each === 'restart') outbox = openOutbox(ledger, now, randomUUID, 12)
          else if (each === 'receive') outbox.received((through = Math.max(through, ...told.keys())))
          else if (each === 'tell') {
            const batch = outbox.pending(0, 5)
            if (batch.length === 0) continue
            outbox.telling(batch.at(-1)!.seq)
            for (const { seq, id } of batch) {
              expect(told.get(seq) ?? id).toBe(id)
              told.set(seq, id)
            }
          } else {
            const power_state = each.on ? 'power on' : 'power off'
            outbox.append({ kind: 'power', node: node(each.node), power_state })
            last.set(node(each.node), power_state)
          }
          const waiting = all()
          expect(waiting.map(({ seq }) => seq)).toEqual(waiting.map((_, index) => through + 1 + index))
        }
        const waiting = all()
        for (const [of, power_state] of last) {
          const word = waiting.findLast((each) => each.kind === 'power' && each.node === of)
          if (word) expect(word).toMatchObject({ power_state })
        }
      }),
      { numRuns: 60 },
    )
  })
})
