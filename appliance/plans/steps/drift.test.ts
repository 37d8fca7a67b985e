import { expect, it } from 'vitest'
import { driftOf } from './drift.ts'

const setting = (name: string, value: string) => ({
  name,
  value,
  allowable_values: null,
  attribute_type: null,
  lower_bound: null,
  max_length: null,
  min_length: null,
  read_only: null,
  reset_required: null,
  unique: null,
  upper_bound: null,
})
const facts = {
  bios: [setting('NumLock', 'On'), setting('BootTimeout', '5')],
  firmware: [{ component: 'bmc', version: '1.0', vendor: null, model: null, serial_number: null }],
}

it('a machine that is as declared has no drift, whatever else it has', () => {
  const declared = { bios: { BootTimeout: 5 }, firmware: { bmc: '1.0' }, bmc_users: ['admin'] }
  expect(driftOf(declared, facts, ['admin'])).toEqual([])
  expect(driftOf({ bios: {}, firmware: {} }, facts, undefined)).toEqual([])
})

it('each difference is a sentence', () => {
  const declared = { bios: { NumLock: 'Off', Gone: true }, firmware: { bios: '2.0' }, bmc_users: ['admin', 'ops'] }
  expect(driftOf(declared, facts, ['admin', 'guest'])).toEqual([
    'BIOS setting NumLock is On, not Off',
    'BIOS setting Gone is not told, not true',
    'firmware of bios is not told, not 2.0',
    'the BMC has no user ops',
    'the BMC has a user guest, which nobody declared',
  ])
})
