import { expect, it, onTestFinished } from 'vitest'
import { openAgentRows } from './agents.ts'
import { openLedger } from './ledger.ts'
import { openVault } from './vault.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const at = new Date('2026-01-01T00:00:00.000Z')

function fresh() {
  const ledger = openLedger(':memory:')
  onTestFinished(() => ledger.close())
  return { ledger, rows: openAgentRows(ledger, openVault('sealing key')) }
}

it('gives the token of a boot away once', () => {
  const { rows } = fresh()
  expect(rows.giveToken(node, 'first', at)).toBe('first')
  expect(rows.giveToken(node, 'second', at)).toBeUndefined()
  expect(rows.get(node)).toMatchObject({ token: 'first', startedAt: at, heartbeatAt: undefined, url: undefined })
})

it('gives another one to the next boot', () => {
  const { rows } = fresh()
  rows.giveToken(node, 'first', at)
  rows.heartbeat(node, at, { url: 'https://192.0.2.9:9999', certificate: 'pem', version: '1' })
  rows.wipe(node)
  expect(rows.get(node)).toBeUndefined()
  expect(rows.giveToken(node, 'second', at)).toBe('second')
  expect(rows.get(node)?.heartbeatAt).toBeUndefined()
})

it('keeps what a heartbeat told', () => {
  const { rows } = fresh()
  rows.giveToken(node, 'first', at)
  rows.heartbeat(node, at, { url: 'https://192.0.2.9:9999', certificate: 'pem', version: '1' })
  const told = { url: 'https://192.0.2.9:9999', certificate: 'pem', version: '1', heartbeatAt: at }
  expect(rows.get(node)).toMatchObject(told)
})

it('has no row for a heartbeat of a boot that was wiped', () => {
  const { rows } = fresh()
  rows.heartbeat(node, at, { url: 'https://192.0.2.9:9999', certificate: undefined, version: undefined })
  expect(rows.get(node)).toBeUndefined()
})

it('tells nothing to who has the ledger but not the key', () => {
  const { ledger, rows } = fresh()
  rows.giveToken(node, 'the token in clear', at)
  const box = ledger.db.prepare('select token from agent').get()?.['token'] as Uint8Array
  expect(Buffer.from(box).includes('the token in clear')).toBe(false)
  expect(() => openAgentRows(ledger, openVault('another key')).get(node)).toThrow('authenticate')
})

it('seals the same text differently each time, and notices a changed bit', () => {
  const vault = openVault('sealing key')
  const box = Buffer.from(vault.encrypt('text'))
  expect(box.equals(Buffer.from(vault.encrypt('text')))).toBe(false)
  expect(vault.decrypt(box)).toBe('text')
  box[14]! ^= 1
  expect(() => vault.decrypt(box)).toThrow('authenticate')
})
