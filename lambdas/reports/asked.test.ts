import { expect, it } from 'vitest'
import type { Node, Operation } from '../../contract/resources.ts'
import { node } from '../conductor/testing.ts'
import { isAsked, isDone } from './asked.ts'

const appliance = { uuid: '00000000-0000-4000-8000-000000000001', site: node.conductor_group }
const [plan, next] = ['7f0f5a6c-54c5-4e34-9a55-0d1a7b7f9d10', '7f0f5a6c-54c5-4e34-9a55-0d1a7b7f9d11']
const operation: Operation = {
  plan: plan!,
  kind: 'inspect',
  generation: 2,
  appliance: appliance.uuid,
  ordinal: 4,
  phase: 'running',
  step: 0,
  steps: 1,
  names: ['inspect.inspect_hardware'],
  percent: null,
  note: null,
  since: '2026-11-23T09:59:00.000Z',
}
const report = { plan: plan!, generation: 2 }
const running: Node = { ...node, generation: 2, operation }
const over: Node = { ...running, operation: null }

it('what the running plan finds is asked for, in either lane, of the appliance that carries it out', () => {
  expect(isAsked(running, appliance, report)).toBe(true)
  expect(isAsked({ ...over, power_operation: operation }, appliance, report)).toBe(true)
  expect(isAsked(running, { ...appliance, uuid: node.uuid }, report)).toBe(false)
})

it('so is what comes when its plan is already known to have ended', () => {
  expect(isAsked(over, appliance, report)).toBe(true)
  expect(isAsked(over, { ...appliance, site: 'elsewhere' }, report)).toBe(false)
})

it('but not what an earlier one found, nor one that was given up for another', () => {
  expect(isAsked({ ...over, generation: 3 }, appliance, report)).toBe(false)
  expect(isAsked({ ...running, operation: { ...operation, plan: next! } }, appliance, report)).toBe(false)
})

it('done is what was done last, not what failed or was before it', () => {
  const ended = (generation: number, phase: string): Node => ({
    ...over,
    driver_internal_info: { last_operation: { generation, phase } },
  })
  expect([ended(2, 'done'), ended(2, 'failed'), ended(1, 'done'), over].map((each) => isDone(each, 2))).toEqual([
    true,
    false,
    false,
    false,
  ])
})
