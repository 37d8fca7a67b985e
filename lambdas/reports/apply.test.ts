import { describe, expect, it } from 'vitest'
import { defaultOptions } from '../../contract/conductor-options.ts'
import type { Progress } from '../../contract/messages.ts'
import type { Node, Operation } from '../../contract/resources.ts'
import { node } from '../conductor/testing.ts'
import { apply } from './apply.ts'

const at = { now: new Date('2026-11-23T10:00:00.000Z'), options: defaultOptions }
const box = '00000000-0000-4000-8000-000000000001'
const plan = '7f0f5a6c-54c5-4e34-9a55-0d1a7b7f9d10'
const operation: Operation = {
  plan,
  kind: 'deploy',
  generation: 2,
  appliance: box,
  ordinal: 4,
  phase: 'running',
  step: 0,
  steps: 2,
  names: ['deploy.start_agent', 'deploy.write_image'],
  percent: null,
  note: null,
  since: '2026-11-23T09:59:00.000Z',
}
const deploying: Node = {
  ...node,
  provision_state: 'deploying',
  target_provision_state: 'active',
  generation: 2,
  deadline: '2026-11-23T10:01:00.000Z',
  operation,
}
const report: Progress = {
  id: plan,
  seq: 9,
  at: '2026-11-23T09:59:30.000Z',
  kind: 'progress',
  node: node.uuid,
  generation: 2,
  lane: 'provision',
  plan,
  ordinal: 5,
  phase: 'running',
  step: 1,
  percent: 40,
  note: 'writing',
  power_state: null,
  boot_device: null,
  seconds: [],
}

it('of a plan that had the answer of a BMC ends its power failure', () => {
  const failed = { maintenance: true, maintenance_reason: 'silence', fault: 'power failure', last_error: 'silence' }
  const switching: Node = {
    ...node,
    ...failed,
    generation: 2,
    target_power_state: 'power on',
    power_operation: { ...operation, kind: 'power', names: ['power.set_power_state'] },
  }
  const done = { ...report, lane: 'power', phase: 'done', power_state: 'power on' } as const
  expect(apply(switching, done, box, at)).toMatchObject({ maintenance: false, fault: null, last_error: null })
  expect(apply(switching, { ...done, phase: 'failed', note: 'no' }, box, at)).toMatchObject({ fault: 'power failure' })
  const other = { ...switching, fault: 'clean failure' }
  expect(apply(other, done, box, at)).toMatchObject({ maintenance: true, fault: 'clean failure' })
})

describe('a report', () => {
  it('shows the step and renews the deadline', () => {
    expect(apply(deploying, report, box, at)).toMatchObject({
      provision_state: 'deploying',
      deploy_step: { interface: 'deploy', step: 'write_image', priority: 80, args: {} },
      operation: { ordinal: 5, step: 1, percent: 40, note: 'writing' },
      deadline: '2026-11-23T10:30:00.000Z',
    })
  })

  it.each([
    ['of an older generation', { generation: 1 }],
    ['of a newer generation', { generation: 3 }],
    ['of another plan', { plan: box }],
    ['that was applied', { ordinal: 4 }],
    ['that is older', { ordinal: 1 }],
    ['of the other lane', { lane: 'power' as const }],
  ])('%s changes nothing', (_, stale) => {
    expect(apply(deploying, { ...report, phase: 'done', ...stale }, box, at)).toBeUndefined()
  })

  it('of an appliance that was not told to do it changes nothing', () => {
    expect(apply(deploying, report, plan, at)).toBeUndefined()
  })

  it('goes between working and waiting, and no further', () => {
    const waiting = apply(deploying, { ...report, phase: 'waiting' }, box, at) as Node
    expect(waiting).toMatchObject({
      provision_state: 'wait call-back',
      target_provision_state: 'active',
      generation: 2,
    })
    const again = apply(waiting, { ...report, ordinal: 6 }, box, at)
    expect(again).toMatchObject({ provision_state: 'deploying', generation: 2, operation: { plan, ordinal: 6 } })
  })

  it('that the work is done is taken also where a wait was thought', () => {
    const waiting = { ...deploying, provision_state: 'wait call-back' as const }
    expect(apply(waiting, { ...report, phase: 'done', seconds: [3, 4] }, box, at)).toMatchObject({
      provision_state: 'active',
      target_provision_state: null,
      operation: null,
      deadline: null,
      power_state: 'power on',
      driver_internal_info: { last_operation: { kind: 'deploy', names: operation.names, seconds: [3, 4] } },
    })
  })

  it('of a tear-down clears the instance and goes on to cleaning with a generation of its own', () => {
    const deleting: Node = {
      ...deploying,
      provision_state: 'deleting',
      target_provision_state: 'available',
      instance_uuid: plan,
      instance_name: 'i',
      config_drive: 'config-drives/x',
    }
    const torn = { instance_uuid: null, instance_info: {}, instance_name: null, config_drive: null }
    const done = { ...report, phase: 'done' as const }
    expect(apply(deleting, done, box, at)).toMatchObject({
      ...torn,
      provision_state: 'cleaning',
      generation: 3,
      operation: null,
    })
    expect(apply({ ...deleting, automated_clean: false }, done, box, at)).toMatchObject({
      ...torn,
      provision_state: 'available',
    })
  })

  it('of power ends its lane and leaves the other alone', () => {
    const switching: Node = {
      ...node,
      provision_state: 'active',
      target_power_state: 'power off',
      deadline: at.now.toISOString(),
      power_operation: { ...operation, kind: 'power' },
    }
    const done = { ...report, lane: 'power' as const, phase: 'done' as const }
    const off = { provision_state: 'active', power_state: 'power off', target_power_state: null, deadline: null }
    expect(apply(switching, done, box, at)).toMatchObject(off)
    expect(apply(switching, { ...done, power_state: 'power on' }, box, at)).toMatchObject({ power_state: 'power on' })
    expect(apply(switching, { ...done, phase: 'failed', note: 'why' }, box, at)).toMatchObject({
      last_error: 'why',
      target_power_state: null,
    })
  })
})
