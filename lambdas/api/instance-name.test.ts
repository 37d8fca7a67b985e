import { expect, it } from 'vitest'
import { sameName } from './instance-name.ts'

const named = (instance_name: string | null, display_name?: unknown) => ({
  instance_name,
  instance_info: { image_source: 'i', ...(display_name === undefined ? {} : { display_name }) },
})

it.each([
  ['a name that is set', named(null), named('a'), named('a', 'a')],
  ['a name that is taken away', named('a', 'a'), named(null, 'a'), named(null)],
  ['a display name that is set', named(null), named(null, 'b'), named('b', 'b')],
  ['a display name that is taken away', named('a', 'a'), named('a'), named(null)],
  ['both, different', named(null), named('a', 'b'), named('a', 'a')],
  ['what is no name', named('a', 'a'), named('a', 7), named(null, 7)],
  ['another attribute', named('a', 'a'), named('a', 'a'), named('a', 'a')],
])('%s', (_, before, after, both) => {
  expect(sameName(before, after)).toEqual(both)
})
