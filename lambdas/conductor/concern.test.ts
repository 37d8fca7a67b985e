import { expect, it } from 'vitest'
import type { Node, Operation } from '../../contract/resources.ts'
import type { Item } from '../platform.ts'
import { isOfConcern } from './concern.ts'
import { node } from './testing.ts'

const key = { pk: `node#${node.uuid}`, sk: 'node' }
const item = (value: unknown, at = key): Item => ({ ...at, version: 1, value })
const changed = (before: Partial<Node> | undefined, after: Partial<Node> | undefined): boolean =>
  isOfConcern({
    key,
    before: before && item({ ...node, ...before }),
    after: after && item({ ...node, ...after }),
  })
const operation = { plan: 'p' } as Operation

it.each<[string, Partial<Node> | undefined, Partial<Node> | undefined, boolean]>([
  ['a new node at rest', undefined, { provision_state: 'enroll' }, false],
  ['a description', { description: 'a' }, { description: 'b' }, false],
  ['progress of its operation', { operation }, { operation: { ...operation, step: 1 } }, false],
  ['an operation that waits for its plan', {}, { provision_state: 'cleaning', operation: null }, true],
  ['a power change that waits for its plan', {}, { provision_state: 'active', deadline: 'soon' }, true],
  ['an operation that ended', { operation }, { operation: null }, true],
  ['a config drive that nobody points to', { config_drive: 'a' }, { config_drive: null }, true],
  ["power of a node that is nobody's", { power_state: 'power on' }, { power_state: 'power off' }, false],
  [
    "power of a server's node that got where it was told to",
    { instance_uuid: 'i', target_power_state: 'rebooting' },
    { instance_uuid: 'i', target_power_state: null },
    true,
  ],
  [
    "a server's node that came to rest",
    { instance_uuid: 'i', provision_state: 'rescuing' },
    { instance_uuid: 'i', provision_state: 'rescue' },
    true,
  ],
  ['a node that is gone', {}, undefined, true],
])('of nodes: %s', (_, before, after, concerns) => {
  expect(changed(before, after)).toBe(concerns)
})

it('a command is of concern when it is new, counters and names never, and whatever is unknown always', () => {
  const command = { pk: 'appliance#a', sk: 'command#000000000001' }
  expect(isOfConcern({ key: command, before: undefined, after: item({}, command) })).toBe(true)
  expect(isOfConcern({ key: command, before: item({}, command), after: item({}, command) })).toBe(false)
  const of = (pk: string, sk: string) => ({ key: { pk, sk }, before: undefined, after: item({}, { pk, sk }) })
  expect(isOfConcern(of('appliance#a', 'reports'))).toBe(false)
  expect(isOfConcern(of('node-name#a', 'name'))).toBe(false)
  expect(isOfConcern(of('something', 'new'))).toBe(true)
})
