import { afterEach, beforeEach, expect, it } from 'vitest'
import { forgets } from '../testing/plans.ts'
import { commandsThrough, generationOf, remember, setGeneration, skipTo } from './inbox.ts'
import { openLedger, type Ledger } from './ledger.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
let ledger: Ledger
beforeEach(() => (ledger = openLedger(':memory:')))
afterEach(() => ledger.close())

const take = (seq: number): boolean => remember(ledger, forgets(seq, node, 1))
const above = (): number => Number(ledger.db.prepare('select count(*) as n from command').get()?.['n'])

it('acknowledges what came without a gap', () => {
  expect([take(1), take(2), take(3)]).toEqual([true, true, true])
  expect(commandsThrough(ledger)).toBe(3)
})

it('waits at a gap for the missing number, and then acknowledges all at once', () => {
  expect([take(1), take(3), take(4)]).toEqual([true, true, true])
  expect(commandsThrough(ledger)).toBe(1)
  expect(take(2)).toBe(true)
  expect(commandsThrough(ledger)).toBe(4)
  expect(above()).toBe(0)
})

it('knows a command that was here before, below a gap and above it', () => {
  take(1)
  take(3)
  expect([take(1), take(3)]).toEqual([false, false])
  expect(commandsThrough(ledger)).toBe(1)
})

it('begins on an empty disk where the cloud still has commands', () => {
  skipTo(ledger, 501)
  expect(commandsThrough(ledger)).toBe(500)
  expect(take(500)).toBe(false)
  expect(take(501)).toBe(true)
  expect(commandsThrough(ledger)).toBe(501)
})

it('never goes back', () => {
  skipTo(ledger, 501)
  skipTo(ledger, 3)
  expect(commandsThrough(ledger)).toBe(500)
})

it('counts what had come above a gap when the cloud skips the gap', () => {
  take(5)
  take(6)
  skipTo(ledger, 5)
  expect(commandsThrough(ledger)).toBe(6)
  expect(take(6)).toBe(false)
  expect(above()).toBe(0)
})

it('forgets a command when what had to be true with it failed', () => {
  const failing = (): void =>
    ledger.transaction(() => {
      take(1)
      throw new Error('disk full')
    })
  expect(failing).toThrow('disk full')
  expect(commandsThrough(ledger)).toBe(0)
  expect(take(1)).toBe(true)
})

it('keeps the highest generation of each lane', () => {
  setGeneration(ledger, node, 'provision', 7)
  setGeneration(ledger, node, 'provision', 5)
  expect([generationOf(ledger, node, 'provision'), generationOf(ledger, node, 'power')]).toEqual([7, 0])
})
