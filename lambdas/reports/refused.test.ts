import { expect, it } from 'vitest'
import type { Node, Operation } from '../../contract/resources.ts'
import { node } from '../conductor/testing.ts'
import { afterRefusal } from './refused.ts'

const now = new Date('2026-11-23T10:00:00.000Z')
const box = { uuid: '00000000-0000-4000-8000-000000000001', site: 'berlin' }
const operation = { generation: 3, appliance: box.uuid, ordinal: 0 } as Operation
const refused = (of: Partial<Node>, generation = 3, by = box) =>
  afterRefusal({ ...node, keeper: box.uuid, ...of }, { generation }, by, 'why', now)

it('ends the operation that the command was for', () => {
  expect(refused({ provision_state: 'deploying', operation })).toMatchObject({
    provision_state: 'deploy failed',
    operation: null,
    last_error: 'why',
    maintenance: false,
  })
  expect(refused({ power_operation: operation, target_power_state: 'power on' })).toMatchObject({
    power_operation: null,
    target_power_state: null,
    last_error: 'why',
  })
})

it('leaves an operation alone that the command was not for, or that another appliance carries out', () => {
  const running = { provision_state: 'deploying', operation } as const
  expect(refused(running, 4)).toMatchObject({ ...running, last_error: 'why' })
  const other = { ...box, uuid: '00000000-0000-4000-8000-000000000002' }
  expect(refused(running, 3, other)).toMatchObject({ ...running, last_error: 'why' })
})

it('is said once, and of no node that is another site’s', () => {
  expect(refused({ last_error: 'why' })).toBeUndefined()
  expect(refused({}, 3, { uuid: '00000000-0000-4000-8000-000000000002', site: 'paris' })).toBeUndefined()
})
