import { afterEach, beforeEach, expect, it } from 'vitest'
import { machine, plan, step } from '../testing/plans.ts'
import { openJournal, type Journal } from './journal.ts'
import { openLedger, type Ledger } from './ledger.ts'

const of = machine()
let ledger: Ledger
let journal: Journal
beforeEach(() => {
  ledger = openLedger(':memory:')
  journal = openJournal(ledger)
})
afterEach(() => ledger.close())

it('keeps where a plan stands', () => {
  const deploy = plan(of, 1, [step('power.power_on'), step('power.power_off')])
  journal.add(deploy, 17)
  const entry = journal.get(deploy.id)!
  const stands = {
    step: 1,
    stepStarted: new Date('2026-01-01T00:00:07.000Z'),
    ordinal: 4,
    memo: { off: 'reached' },
    seconds: [1.5],
    failure: 'no power',
  }
  journal.save({ ...entry, ...stands })
  expect(openJournal(ledger).get(deploy.id)).toEqual({ ...entry, ...stands, commandSeq: 17 })
})

it('has one open plan in each lane of a node', () => {
  const deploy = plan(of, 1, [step('power.power_on')])
  const reboot = plan(of, 2, [step('power.power_on')], { lane: 'power', kind: 'power' })
  journal.add(deploy, 1)
  journal.add(reboot, 2)
  expect(journal.openIn(of.node, 'provision')?.plan.id).toBe(deploy.id)
  expect(journal.openIn(of.node, 'power')?.plan.id).toBe(reboot.id)
  expect(journal.open().map((entry) => entry.plan.id)).toEqual([deploy.id, reboot.id])
})

it('never opens a closed plan again, whatever an older copy of the entry says', () => {
  const deploy = plan(of, 1, [step('power.power_on')])
  journal.add(deploy, 1)
  const older = journal.get(deploy.id)!
  journal.save({ ...older, state: 'closed' })
  journal.save({ ...older, step: 1 })
  expect(journal.get(deploy.id)).toMatchObject({ state: 'closed', step: 0 })
  expect(journal.open()).toEqual([])
})

it('keeps a cancellation that an older copy of the entry does not know of', () => {
  const deploy = plan(of, 1, [step('power.power_on')])
  journal.add(deploy, 1)
  const older = journal.get(deploy.id)!
  journal.save({ ...older, cancel: 'too late' })
  journal.save({ ...older, memo: { asked: 'x' } })
  expect(journal.get(deploy.id)).toMatchObject({ cancel: 'too late', memo: { asked: 'x' } })
})

it('drops closed plans of a lane when the next one comes, and all of a forgotten node', () => {
  const first = plan(of, 1, [step('power.power_on')])
  const second = plan(of, 2, [step('power.power_on')])
  journal.add(first, 1)
  journal.save({ ...journal.get(first.id)!, state: 'closed' })
  journal.add(second, 2)
  expect(journal.get(first.id)).toBeUndefined()
  journal.forget(of.node)
  expect(journal.get(second.id)).toBeUndefined()
})
