import { expect, it } from 'vitest'
import { features, unknownTo } from './features.ts'
import { firstNames } from './first-names.ts'
import { command } from './messages.ts'
import { stepNames } from './step-arguments.ts'

it('what every appliance knows is still there to be known, and the rest it has to say', () => {
  const all: string[] = [...command.options.flatMap(({ shape }) => [...shape.kind.values]), ...stepNames]
  expect(all).toEqual(expect.arrayContaining([...firstNames]))
  expect([...firstNames, ...features].toSorted()).toEqual(all.toSorted())
})

it('every appliance knows what was there at first, whatever it says of itself', () => {
  expect(unknownTo(undefined, firstNames)).toEqual([])
  expect(unknownTo([], firstNames)).toEqual([])
})

it('are not more than a hello may tell', () => {
  expect(features.length).toBeLessThanOrEqual(256)
})
