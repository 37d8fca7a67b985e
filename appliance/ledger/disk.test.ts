import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDisk } from './disk.ts'
import { openLedger, type Ledger } from './ledger.ts'

let dir: string
let ledger: Ledger
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bloomery-ledger-'))
  ledger = openLedger(join(dir, 'ledger.sqlite'))
})
afterEach(() => {
  ledger.close()
  rmSync(dir, { recursive: true, force: true })
})

const write = (seq: number): void => void ledger.statement('insert into command (seq) values (?)').run(seq)
const count = (): unknown => ledger.statement('select count(*) as n from command').get()
const synchronous = (): unknown => ledger.db.prepare('pragma synchronous').get()

it('has nothing to wait for after a transaction, and after `soon` until the disk has it', async () => {
  ledger.transaction(() => write(1))
  expect(ledger.durable()).toBeUndefined()
  ledger.soon(() => write(2))
  expect(count()).toEqual({ n: 2 })
  expect(ledger.durable()).toBeInstanceOf(Promise)
  await ledger.durable()
  expect(ledger.durable()).toBeUndefined()
})

it('is as strict as before with whatever is written outside `soon`, also after one that failed', () => {
  const full = synchronous()
  expect(() =>
    ledger.soon(() => {
      write(1)
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(synchronous()).toEqual(full)
  expect(count()).toEqual({ n: 0 })
})

it('lets those who come during a sync wait for the next, together', async () => {
  ledger.soon(() => write(1))
  const first = ledger.durable()
  ledger.soon(() => write(2))
  const second = ledger.durable()
  ledger.soon(() => write(3))
  expect(second).not.toBe(first)
  expect(ledger.durable()).toBe(second)
  await Promise.all([first, second])
  expect(ledger.durable()).toBeUndefined()
})

it('is certain of nothing after a sync that failed, and says so', async () => {
  const disk = openDisk('/proc/self/comm') // can be opened, can't be synced
  disk.appended()
  await expect(disk.durable()).rejects.toThrow('/proc/self/comm could not be synced to disk; restart')
  await expect(disk.durable()).rejects.toThrow('restart')
  expect(disk.failure()).toBeInstanceOf(Error)
  disk.close()
})
