import { expect, it } from 'vitest'
import { type GroupWish, isAllowed, placeOf, strain } from './group-rules.ts'

const node = (site: string, rack?: unknown) => ({
  uuid: 'n1',
  conductor_group: site,
  properties: rack === undefined ? {} : { rack },
  resource_class: null,
  owner: null,
  lessee: null,
  traits: [],
  health: null,
})
const wish = (policy: GroupWish['policy'], places: string[], most = 1): GroupWish => ({
  policy,
  scope: 'rack',
  most,
  places,
})

it('a place is a rack of a site, or the site; a node that names no rack is alone in its own', () => {
  expect(placeOf(node('berlin', 'r1'), 'rack')).toBe('berlin/r1')
  expect(placeOf(node('berlin', 'r1'), 'site')).toBe('berlin')
  expect(placeOf(node('berlin'), 'rack')).toBe('berlin/node n1')
  expect(placeOf(node('berlin', 7), 'rack')).toBe('berlin/node n1')
})

it.each([
  ['affinity', [], true],
  ['affinity', ['berlin/r1'], true],
  ['affinity', ['berlin/r2'], false],
  ['anti-affinity', ['berlin/r2'], true],
  ['anti-affinity', ['berlin/r1'], false],
  ['soft-affinity', ['berlin/r2'], true],
  ['soft-anti-affinity', ['berlin/r1'], true],
] as const)('%s with members in %j: a node of berlin/r1 is allowed: %s', (policy, places, allowed) => {
  expect(isAllowed(node('berlin', 'r1'), wish(policy, [...places]))).toBe(allowed)
})

it('as many as a rule lets may be in one place', () => {
  expect(isAllowed(node('berlin', 'r1'), wish('anti-affinity', ['berlin/r1'], 2))).toBe(true)
  expect(isAllowed(node('berlin', 'r1'), wish('anti-affinity', ['berlin/r1', 'berlin/r1'], 2))).toBe(false)
})

it('soft ones would rather be with, or without, the others', () => {
  const places = ['berlin/r1', 'berlin/r1', 'paris/r1']
  const [here, there] = [node('berlin', 'r1'), node('paris', 'r1')]
  expect([strain(here, wish('soft-affinity', places)), strain(there, wish('soft-affinity', places))]).toEqual([1, 2])
  expect([strain(here, wish('soft-anti-affinity', places)), strain(there, wish('soft-anti-affinity', places))]).toEqual(
    [2, 1],
  )
  expect(strain(here, wish('affinity', places))).toBe(0)
})
