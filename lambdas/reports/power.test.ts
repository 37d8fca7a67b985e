import { expect, it } from 'vitest'
import { conductorOptions, defaultOptions } from '../../contract/conductor-options.ts'
import type { Report } from '../../contract/messages.ts'
import type { Node } from '../../contract/resources.ts'
import { node } from '../conductor/testing.ts'
import { recovered, seenBmc, seenPower } from './power.ts'

const now = new Date('2026-11-23T10:00:00.000Z')
const base = { id: node.uuid, seq: 1, at: '2026-11-23T09:59:30.000Z', node: node.uuid }
const off: Extract<Report, { kind: 'power' }> = { ...base, kind: 'power', power_state: 'power off' }
const bmc = (answers: boolean): Extract<Report, { kind: 'bmc' }> => ({
  ...base,
  kind: 'bmc',
  answers,
  text: 'its BMC did not answer 3 times in 5 min: silence',
})
const running: Node = { ...node, provision_state: 'active', power_state: 'power on', last_error: null }
const forces = conductorOptions.parse({ force_power_state_during_sync: true })

it('takes the state that the machine has', () => {
  expect(seenPower(running, off, now, defaultOptions)).toEqual({
    ...running,
    power_state: 'power off',
    driver_internal_info: { ...running.driver_internal_info, last_power_state_change: off.at },
  })
})

it('takes no older word than the last', () => {
  const later = { ...running, driver_internal_info: { last_power_state_change: '2026-11-23T09:59:31.000Z' } }
  expect(seenPower(later, off, now, defaultOptions)).toBeUndefined()
  expect(
    seenPower({ ...later, driver_internal_info: { last_power_state_change: off.at } }, off, now, forces),
  ).toBeUndefined()
})

it('drives a machine back where the operator wants that, three times an hour at most', () => {
  let at = now
  let it: Node = running
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    it = seenPower(it, { ...off, at: at.toISOString() }, at, forces)!
    expect(it).toMatchObject({ power_state: 'power off', target_power_state: 'power on', maintenance: false })
    expect(it.generation).toBe(running.generation + attempt)
    it = { ...it, target_power_state: null, deadline: null, power_state: 'power on' }
    at = new Date(at.getTime() + 60_000)
  }
  const given = seenPower(it, { ...off, at: at.toISOString() }, at, forces)!
  expect(given).toMatchObject({
    power_state: 'power off',
    target_power_state: null,
    maintenance: true,
    fault: 'power failure',
  })
  expect(given.last_error).toContain('the node was power off instead of power on again after being set back 3 times')
  const later = new Date(at.getTime() + 3_600_001)
  expect(seenPower(it, { ...off, at: later.toISOString() }, later, forces)).toMatchObject({
    target_power_state: 'power on',
  })
})

it.each([
  ['is in maintenance', { maintenance: true }],
  ['is busy', { provision_state: 'deploying' as const }],
  ['changes its power', { target_power_state: 'power off' as const, deadline: now.toISOString() }],
  ['was not looked at before', { power_state: null }],
])('drives nothing back that %s', (_, more) => {
  const before = { ...running, ...more }
  const after = seenPower(before, off, now, forces)
  expect(after).toMatchObject({ power_state: 'power off', target_power_state: before.target_power_state })
  expect(after?.generation).toBe(before.generation)
})

it('never switches off what must not be off', () => {
  const stays = { ...running, power_state: 'power off' as const, disable_power_off: true }
  const seen = seenPower(stays, { ...off, power_state: 'power on' }, now, forces)
  expect(seen).toMatchObject({ power_state: 'power on', target_power_state: null })
})

it('puts a node whose BMC fails in maintenance by fault, and takes that back when it works', () => {
  const failed = seenBmc(running, bmc(false))!
  const why = 'During sync of power states: its BMC did not answer 3 times in 5 min: silence'
  expect(failed).toMatchObject({ maintenance: true, fault: 'power failure', maintenance_reason: why, last_error: why })
  expect(seenBmc(failed, bmc(false))).toBeUndefined()
  expect(seenBmc(failed, bmc(true))).toEqual(running)
})

it('leaves alone what people set, and what works at something', () => {
  const aside = { ...running, maintenance: true, maintenance_reason: 'new fans' }
  expect(seenBmc(aside, bmc(false))).toBeUndefined()
  expect(seenBmc(aside, bmc(true))).toBeUndefined()
  expect(seenBmc({ ...running, provision_state: 'deploying' }, bmc(false))).toBeUndefined()
})

it('keeps another error than its own', () => {
  const failed = { ...seenBmc(running, bmc(false))!, last_error: 'power.power_on: no' }
  expect(recovered(failed).last_error).toBe('power.power_on: no')
})
