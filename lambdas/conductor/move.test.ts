import { describe, expect, it } from 'vitest'
import { isTransient, provision, provisionStates, type ProvisionEvent } from '../../contract/provision.ts'
import { endPower, fail, move, startPower } from './move.ts'
import { node } from './testing.ts'

const now = new Date('2026-11-23T10:00:00.000Z')

const everyArrow = provisionStates.flatMap((state) =>
  Object.entries(provision[state].on).map(([event, next]) => [state, event as ProvisionEvent, next] as const),
)

describe('a move', () => {
  it.each(everyArrow)('%s, %s, to %s: has a deadline exactly where something is awaited', (state, event, next) => {
    const moved = move({ ...node, provision_state: state, generation: 3 }, event, now)
    expect(moved?.provision_state).toBe(next)
    expect(moved?.deadline !== null).toBe(isTransient(next))
    const starts = provision[next].kind === 'working' && event !== 'resume'
    expect(moved?.generation).toBe(starts ? 4 : 3)
  })

  it('starts with no old error, and ends with no operation', () => {
    const started = move({ ...node, provision_state: 'deploy failed', last_error: 'old' }, 'deploy', now)
    expect(started).toMatchObject({ last_error: null, operation: null, target_provision_state: 'active' })
  })

  it('goes nowhere where there is no arrow', () => {
    expect(move(node, 'resume', now)).toBeUndefined()
  })
})

describe('a failure', () => {
  it('keeps its reason and, of a cleaning that had begun, sets maintenance', () => {
    const cleaning = { ...node, provision_state: 'cleaning' as const }
    expect(fail(cleaning, 'why', true, now)).toMatchObject({
      provision_state: 'clean failed',
      last_error: 'why',
      maintenance: true,
      fault: 'clean failure',
    })
    expect(fail(cleaning, 'why', false, now)).toMatchObject({ last_error: 'why', maintenance: false, fault: null })
  })

  it('finds the way out of every state that something can fail in', () => {
    for (const state of provisionStates) {
      const { kind } = provision[state]
      if (kind === 'working' || kind === 'waiting' || kind === 'hold')
        expect(fail({ ...node, provision_state: state }, 'why', true, now), state).toMatchObject({ last_error: 'why' })
    }
  })
})

it('a power change has a deadline from its beginning to its end', () => {
  const started = startPower({ ...node, last_error: 'old' }, { target_power_state: 'power on' }, now)
  expect(started).toMatchObject({ generation: 1, last_error: null, deadline: '2026-11-23T10:10:00.000Z' })
  expect(endPower(started, 'why')).toMatchObject({ target_power_state: null, deadline: null, last_error: 'why' })
})

describe('a power change while the node is on hold', () => {
  const later = '2026-11-23T10:10:00.000Z'
  const held = startPower({ ...node, provision_state: 'clean hold' }, { target_power_state: 'power on' }, now)

  it('keeps its deadline when the held operation fails', () => {
    expect(move(held, 'abort', now)).toMatchObject({ provision_state: 'clean failed', deadline: later })
  })

  it('leaves the deadline of an operation that went on, and has one again when that rests', () => {
    const on = move(held, 'unhold', now)!
    expect(on).toMatchObject({ provision_state: 'clean wait', deadline: '2026-11-23T10:30:00.000Z' })
    expect(endPower(on)).toMatchObject({ deadline: '2026-11-23T10:30:00.000Z', target_power_state: null })
    expect(move(on, 'fail', now)).toMatchObject({ provision_state: 'clean failed', deadline: later })
  })
})
