import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Lease } from '@bloomery/dhcp/lease.ts'
import { openLeaseJournal } from './lease-journal.ts'
import { decodeRecords, encodeRecords, RECORD } from './lease-record.ts'
import { openLeases, type DurableLeases } from './leases.ts'

const range = { first: 100, last: 109 }
let directory: string
let path: string
const opened: DurableLeases[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leases-'))
  path = join(directory, 'leases.journal')
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

/** What a process would see that starts after this one was killed. */
async function reopened(over = range): Promise<DurableLeases> {
  const copy = `${path}.${opened.length}`
  copyFileSync(path, copy)
  const leases = await openLeases(copy, [over])
  opened.push(leases)
  return leases
}

const macOf = (address: number): string =>
  `52:54:00:00:${address >> 8 < 16 ? '0' : ''}${(address >> 8).toString(16)}:aa`

function lease(address: number, state: Lease['state'] = 'bound'): Lease {
  return { address, mac: state === 'declined' ? '' : macOf(address), state, expires: 5_000 }
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
  const after = await reopened()
  expect([100, 101, 102, 103, 104].map((address) => after.byAddress(address))).toEqual([
    lease(100),
    lease(101, 'declined'),
    undefined,
    undefined,
    undefined,
  ])
  expect(after.byMac(macOf(100))).toEqual([lease(100)])
  expect(after.free(range, 1_000, () => true)).toBe(102)
})

test('a lease that was given up stays given up, also where an offer came between', async () => {
  const before = await open()
  before.stage({ kind: 'put', lease: lease(100) })
  await before.commit()
  before.stage({ kind: 'remove', address: 100 })
  before.stage({ kind: 'put', lease: { ...lease(100), mac: '52:54:00:00:00:01', state: 'offered' } })
  before.stage({ kind: 'remove', address: 100 })
  await before.commit()
  expect((await reopened()).byAddress(100)).toBeUndefined()
})

test('a batch that cannot be written counts for nothing, and the next commit writes it', async () => {
  let full = true
  const leases = await openLeases(path, [range], async () => {
    const journal = await openLeaseJournal(path)
    return { ...journal, write: (records) => (full ? Promise.reject(new Error('ENOSPC')) : journal.write(records)) }
  })
  opened.push(leases)
  leases.stage({ kind: 'put', lease: lease(100) })
  await expect(leases.commit()).rejects.toThrow('could not be written')
  expect((await reopened()).size).toBe(0)
  full = false
  leases.stage({ kind: 'put', lease: lease(101) })
  await leases.commit()
  expect((await reopened()).size).toBe(2)
})

test('after it is closed nothing is said to be durable', async () => {
  const leases = await open()
  await leases.close()
  opened.splice(0)
  leases.stage({ kind: 'put', lease: lease(100) })
  await expect(leases.commit()).rejects.toThrow('is closed')
})

test('each batch is on disk when its commit is done, and while it is written others can be staged', async () => {
  const leases = await open({ first: 0, last: 20_000 })
  for (let address = 0; address < 10_000; address += 50) {
    for (let each = address; each < address + 50; each += 1) leases.stage({ kind: 'put', lease: lease(each) })
    const committed = leases.commit()
    leases.stage({ kind: 'put', lease: lease(10_000 + address) })
    await committed
    expect(decodeRecords(readFileSync(path).subarray(8)).length).toBeGreaterThanOrEqual(address + 50)
  }
  await leases.commit()
  expect((await reopened({ first: 0, last: 20_000 })).size).toBe(10_200)
})

test('cut at any byte, the file holds every batch before the cut, and goes on from there', async () => {
  const journal = await openLeaseJournal(path)
  for (let address = 0; address < 5; address += 1) await journal.write([lease(address)])
  await journal.close()
  const whole = readFileSync(path)
  for (let length = 8; length <= whole.length; length += 1) {
    writeFileSync(path, whole)
    truncateSync(path, length)
    const after = await openLeaseJournal(path)
    expect([...after.leases()]).toHaveLength(Math.floor((length - 8) / RECORD))
    await after.write([lease(77)])
    await after.close()
    const again = await openLeaseJournal(path)
    expect([...again.leases()].at(-1)).toEqual(lease(77))
    await again.close()
  }
})

test('a byte that changed on disk ends what is believed', () => {
  const bytes = encodeRecords([lease(1), lease(2), lease(3)])
  for (let at = 0; at < RECORD; at += 1) {
    const changed = Buffer.from(bytes)
    changed[RECORD + at] = (changed[RECORD + at] ?? 0) ^ 0x10
    expect(decodeRecords(changed)).toEqual([lease(1)])
  }
})

test('the file does not grow with the age of the leases, only with their number', async () => {
  const journal = await openLeaseJournal(path, 100)
  for (let round = 0; round < 40; round += 1)
    await journal.write(Array.from({ length: 10 }, (_, address) => ({ ...lease(address), expires: round })))
  await journal.close()
  expect(statSync(path).size).toBeLessThan(130 * RECORD)
  const again = await openLeaseJournal(path)
  expect([...again.leases()].map(({ expires }) => expires)).toEqual(Array.from({ length: 10 }, () => 39))
  await again.close()
})

test('a second appliance over the same leases is refused, and the first goes on', async () => {
  const leases = await open()
  await expect(openLeases(path, [range], openLeaseJournal, 0)).rejects.toThrow('is in use')
  leases.stage({ kind: 'put', lease: lease(100) })
  await leases.commit()
  expect((await reopened()).size).toBe(1)
})

test('a file of something else is left alone', async () => {
  appendFileSync(path, 'SQLite format 3\0')
  await expect(open()).rejects.toThrow('is no lease journal')
  expect(readFileSync(path, 'latin1')).toBe('SQLite format 3\0')
})
