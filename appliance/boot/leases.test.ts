import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Lease } from '@bloomery/dhcp/lease.ts'
import { openLeaseFile } from './lease-file.ts'
import { openLeases, type DurableLeases } from './leases.ts'

const range = { first: 100, last: 109 }
let directory: string
let path: string
const opened: DurableLeases[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leases-'))
  path = join(directory, 'leases.sqlite')
})
afterEach(async () => {
  for (const leases of opened.splice(0)) await leases.close()
  rmSync(directory, { recursive: true })
})

async function open(over = range): Promise<DurableLeases> {
  const leases = await openLeases(path, [over])
  opened.push(leases)
  return leases
}

function lease(address: number, state: Lease['state'] = 'bound'): Lease {
  return { address, mac: `m${address}`, state, expires: 5_000 }
}

test('after a restart every lease that was committed is there; offers and what was not committed are not', async () => {
  const before = await open()
  before.stage({ kind: 'put', lease: lease(100) })
  before.stage({ kind: 'put', lease: lease(101, 'declined') })
  before.stage({ kind: 'put', lease: lease(102, 'offered') })
  before.stage({ kind: 'put', lease: lease(103) })
  before.stage({ kind: 'remove', address: 103 })
  await before.commit()
  before.stage({ kind: 'put', lease: lease(104) })
  // A second reader sees what a process would that starts after this one was killed.
  const after = await open()
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

test('a lease that was given up stays given up, also where an offer came between', async () => {
  const before = await open()
  before.stage({ kind: 'put', lease: lease(100) })
  await before.commit()
  before.stage({ kind: 'remove', address: 100 })
  before.stage({ kind: 'put', lease: { ...lease(100), mac: 'other', state: 'offered' } })
  before.stage({ kind: 'remove', address: 100 })
  await before.commit()
  expect((await open()).byAddress(100)).toBeUndefined()
})

test('a batch is one transaction, and one that fails is written by the next', async () => {
  const leases = await open()
  leases.stage({ kind: 'put', lease: lease(100) })
  const db = new DatabaseSync(path)
  db.exec("create trigger full before insert on lease begin select raise(abort, 'disk full'); end")
  await expect(leases.commit()).rejects.toThrow('disk full')
  db.exec('drop trigger full')
  leases.stage({ kind: 'put', lease: lease(101) })
  await leases.commit()
  expect(db.prepare('select count(*) as n from lease').get()).toEqual({ n: 2 })
  db.close()
})

test('after the writer is gone nothing is said to be durable', async () => {
  const leases = await open()
  await leases.close()
  leases.stage({ kind: 'put', lease: lease(100) })
  await expect(leases.commit()).rejects.toThrow('the writer of the lease file')
})

test('each batch is on disk when its commit is done, and while it is written others can be staged', async () => {
  const leases = await open({ first: 0, last: 20_000 })
  for (let address = 0; address < 10_000; address += 50) {
    for (let each = address; each < address + 50; each += 1) leases.stage({ kind: 'put', lease: lease(each) })
    const committed = leases.commit()
    leases.stage({ kind: 'put', lease: lease(10_000 + address) })
    await committed
    expect(leases.size).toBeGreaterThan(address)
  }
  await leases.commit()
  const file = openLeaseFile(path)
  expect(file.all()).toHaveLength(10_200)
  file.close()
})
