import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  advance,
  isTransient,
  provision,
  provisionStates,
  verbs,
  verbsFrom,
  type ProvisionEvent,
  type ProvisionState,
} from './provision.ts'

const events = [...new Set(provisionStates.flatMap((state) => Object.keys(provision[state].on)))] as ProvisionEvent[]

test('every arrow leads to a state of the table, whose name fits Ironic clients (15 characters)', () => {
  for (const state of provisionStates) {
    expect(state.length).toBeLessThanOrEqual(15)
    for (const next of Object.values(provision[state].on)) expect(provisionStates).toContain(next)
  }
})

test('every cell: advance follows the table and knows no other arrow', () => {
  for (const state of provisionStates) {
    for (const event of events) {
      const next = (provision[state].on as Record<string, string>)[event]
      expect(advance(state, event)?.state).toBe(next)
    }
  }
})

test('every transient state can fail, says why when it is late, and has a deadline of its own', () => {
  const transient = provisionStates.filter(isTransient)
  expect(transient.length).toBe(14)
  for (const state of transient) {
    expect(advance(state, 'fail')).toBeDefined()
    expect(provision[state].deadline).toBeGreaterThan(0)
    expect(provision[state].late).toMatch(/^[A-Z]/)
  }
})

test('the target is where an operation heads: kept through waits and failures, gone at rest', () => {
  expect(advance('available', 'deploy')).toEqual({ state: 'deploying', target: 'active' })
  expect(advance('deploying', 'wait', 'active')).toEqual({ state: 'wait call-back', target: 'active' })
  expect(advance('wait call-back', 'fail', 'active')).toEqual({ state: 'deploy failed', target: 'active' })
  expect(advance('deploying', 'done', 'active')).toEqual({ state: 'active', target: null })
  expect(advance('manageable', 'clean')?.target).toBe('manageable')
  expect(advance('manageable', 'provide')?.target).toBe('available')
  expect(advance('wait call-back', 'delete', 'active')?.target).toBe('available')
  expect(advance('deleting', 'clean', 'available')).toEqual({ state: 'cleaning', target: 'available' })
  expect(advance('verifying', 'fail', 'manageable')).toEqual({ state: 'enroll', target: null })
})

test('a deploy walks as Ironic walks it', () => {
  const walk: ProvisionEvent[] = [
    'manage',
    'done',
    'provide',
    'wait',
    'resume',
    'done',
    'deploy',
    'wait',
    'resume',
    'done',
  ]
  let state: ProvisionState = 'enroll'
  const seen = walk.map((event) => (state = advance(state, event)!.state))
  expect(seen).toEqual([
    'verifying',
    'manageable',
    'cleaning',
    'clean wait',
    'cleaning',
    'available',
    'deploying',
    'wait call-back',
    'deploying',
    'active',
  ])
})

test('from anywhere, people and machines together can bring a node back to manageable or available', () => {
  for (const start of provisionStates) {
    const reached = new Set<ProvisionState>([start])
    for (const state of reached)
      for (const next of Object.values(provision[state].on)) reached.add(next as ProvisionState)
    expect(reached.has('manageable') || reached.has('available')).toBe(true)
  }
})

test('any sequence of events stays in the table and has a target only between rests', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 60 }), (sequence) => {
      let at: { state: ProvisionState; target: ProvisionState | null } = { state: 'enroll', target: null }
      for (const event of sequence) {
        at = advance(at.state, event, at.target) ?? at
        if (provision[at.state].kind === 'stable') expect(at.target).toBeNull()
        if (isTransient(at.state)) expect(at.target).not.toBeNull()
      }
    }),
  )
})

test('verbs of a state are those that people may ask for', () => {
  expect(verbsFrom('available').sort()).toEqual(['active', 'deploy', 'manage'])
  expect(verbsFrom('deploying')).toEqual([])
  expect(Object.keys(verbs)).toHaveLength(15)
})
