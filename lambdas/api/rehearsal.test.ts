import { describe, expect, it } from 'vitest'
import { node } from '../conductor/testing.ts'
import { move } from '../conductor/move.ts'
import type { ProvisionEvent, ProvisionState } from '../../contract/provision.ts'
import { course } from './rehearsal.ts'

const now = new Date('2026-11-23T10:00:00.000Z')
const after = (from: ProvisionState, event: ProvisionEvent, more = {}) =>
  move({ ...node, deploy_interface: 'direct', provision_state: from, ...more }, event, now)!

describe('the course of', () => {
  const rows: Array<[ProvisionState, ProvisionEvent, boolean, ProvisionState[]]> = [
    ['enroll', 'manage', false, ['enroll', 'verifying', 'manageable']],
    ['available', 'manage', false, ['available', 'manageable']],
    ['manageable', 'provide', true, ['manageable', 'cleaning', 'clean wait', 'available']],
    ['manageable', 'clean', false, ['manageable', 'cleaning', 'manageable']],
    ['available', 'deploy', true, ['available', 'deploying', 'wait call-back', 'active']],
    ['active', 'rebuild', true, ['active', 'deploying', 'wait call-back', 'active']],
    ['active', 'delete', false, ['active', 'deleting', 'cleaning', 'clean wait', 'available']],
    ['active', 'rescue', true, ['active', 'rescuing', 'rescue wait', 'rescue']],
    ['manageable', 'inspect', true, ['manageable', 'inspecting', 'inspect wait', 'manageable']],
    ['wait call-back', 'abort', false, ['wait call-back', 'deploy failed']],
  ]
  it.each(rows)('%s, %s (waiting: %s) is %j', (from, event, waits, states) => {
    expect(course(from, after(from, event), waits)).toEqual(states)
  })

  it('a fake tear-down does not wait for a ramdisk to clean in', () => {
    const states = course('active', after('active', 'delete', { deploy_interface: 'fake' }), false)
    expect(states).toEqual(['active', 'deleting', 'cleaning', 'available'])
    expect(course('active', after('active', 'delete'), false, false)).toEqual(['active', 'deleting', 'available'])
  })
})
