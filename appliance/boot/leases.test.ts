import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Lease } from '@bloomery/dhcp/lease.ts'
import { openLeases } from './leases.ts'

const range = { first: 100, last: 109 }
let directory: string
let db: DatabaseSync
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leases-'))
  db = new DatabaseSync(join(directory, 'ledger'))
})
afterEach(() => {
  if (db.isOpen) db.close()
  rmSync(directory, { recursive: true })
})

function lease(address: number, state: Lease['state'] = 'bound'): Lease {
  return { address, mac: `m${address}`, state, expires: 5_000 }
}

test('after a restart every lease that was committed is there; offers and what was not committed are not', async () => {
  const before = openLeases(db, [range])
  before.stage({ kind: 'put', lease: lease(100) })
  before.stage({ kind: 'put', lease: lease(101, 'declined') })
  before.stage({ kind: 'put', lease: lease(102, 'offered') })
  before.stage({ kind: 'put', lease: lease(103) })
  before.stage({ kind: 'remove', address: 103 })
  await before.commit()
  before.stage({ kind: 'put', lease: lease(104) })
  // A second connection sees what a process would that starts after this one was killed.
  const after = openLeases(new DatabaseSync(join(directory, 'ledger')), [range])
  expect([100, 101, 102, 103, 104].map((address) => after.byAddress(address))).toEqual([
    lease(100),
    lease(101, 'declined'),
    undefined,
    undefined,
    undefined,
  ])
  expect(after.byMac('m100')).toEqual([lease(100)])
  expect(after.free(range, 1_000, () => true)).toBe(102)
})

test('a batch is one transaction, and one that fails is written by the next', async () => {
  const leases = openLeases(db, [range])
  leases.stage({ kind: 'put', lease: lease(100) })
  db.exec("create trigger full before insert on lease begin select raise(abort, 'disk full'); end")
  await expect(leases.commit()).rejects.toThrow('disk full')
  db.exec('drop trigger full')
  leases.stage({ kind: 'put', lease: lease(101) })
  await leases.commit()
  expect(db.prepare('select count(*) as n from lease').get()).toEqual({ n: 2 })
})

test('ten thousand leases in batches of 50 take less than 10 s, each batch synced', async () => {
  const wide = { first: 0, last: 20_000 }
  const leases = openLeases(db, [wide])
  const start = performance.now()
  for (let address = 0; address < 10_000; address += 1) {
    leases.stage({ kind: 'put', lease: lease(address) })
    if (address % 50 === 49) await leases.commit()
  }
  expect(db.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 })
  expect(performance.now() - start).toBeLessThan(10_000)
})
