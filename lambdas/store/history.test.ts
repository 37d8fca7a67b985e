import { expect, it } from 'vitest'
import type { HistoryEntry, Node } from '../../contract/resources.ts'
import { historyEntry } from '../../contract/resources.ts'
import { node as sample } from '../conductor/testing.ts'
import { historyOf } from './history.ts'

const ids = ['b4a1b1c2-3d4e-4f5a-8b6c-7d8e9f0a1b2c', '04a1b1c2-3d4e-4f5a-8b6c-7d8e9f0a1b2c']
const now = '2026-11-23T10:00:10.000Z'
const before: Node = { ...sample, provision_state: 'deploying', target_provision_state: 'active' }
const entryOf = (after: Partial<Node>, from: Partial<Node> = {}, by = {}, position = 1): HistoryEntry | undefined =>
  historyOf({ ...before, ...from }, { ...before, ...from, ...after }, { now, ...by }, { id: ids[0]!, position })
    ?.value as HistoryEntry | undefined

it('says what happened, who did it, and how long the node had been where it was', () => {
  const entry = entryOf(
    { provision_state: 'deploy failed', last_error: 'no disk' },
    { provision_updated_at: '2026-11-23T09:59:58.400Z' },
    { conductor: 'rack-7' },
  )
  expect(historyEntry.parse(entry)).toMatchObject({
    severity: 'ERROR',
    event_type: 'provisioning',
    event: 'no disk',
    conductor: 'rack-7',
    user: null,
    state: 'deploying',
    target_provision_state: 'active',
    duration_seconds: 12,
    about: { from: 'deploying', to: 'deploy failed' },
  })
})

it.each([
  [{ provision_state: 'active' }, {}, 'provisioning', 'Provision state: deploying to active.'],
  [{ maintenance: true, maintenance_reason: 'refit' }, {}, 'maintenance', 'Maintenance: refit'],
  [{ maintenance: true }, {}, 'maintenance', 'Maintenance began.'],
  [{ maintenance: false }, { maintenance: true }, 'maintenance', 'Maintenance ended.'],
  [{ power_state: 'power off' }, { power_state: 'power on' }, 'power', 'Power state: power on to power off.'],
] as const)('%j of %j is one of %s', (after, from, event_type, event) => {
  expect(entryOf(after, from)).toMatchObject({ severity: 'INFO', event_type, event })
})

it('keeps quiet about what is no change, the first look at the power, and what an operation does with it', () => {
  expect(entryOf({})).toBe(undefined)
  expect(entryOf({ power_state: 'power on' }, { power_state: null })).toBe(undefined)
  expect(entryOf({ last_error: null }, { last_error: 'x' })).toBe(undefined)
  const operation = {} as Node['operation']
  expect(entryOf({ power_state: 'power on' }, { power_state: 'power off', operation })).toBe(undefined)
})

it('entries of one millisecond are in the order of the changes, whatever their ids', () => {
  const keys = ids.map((id, position) => {
    const after = { ...before, provision_state: 'active' } as const
    return historyOf(before, after, { now }, { id, position: 4_711_000 + position })!.sk
  })
  expect(keys[0]! < keys[1]!).toBe(true)
})

it('no entry comes before what its change followed, though clocks differ', () => {
  const later = '2026-11-23T10:00:11.000Z'
  expect(entryOf({ provision_state: 'active' }, { updated_at: later })?.created_at).toBe(later)
})
