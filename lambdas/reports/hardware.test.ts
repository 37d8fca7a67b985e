import { describe, expect, it } from 'vitest'
import { withComponents, withSettings } from './hardware.ts'

const noon = '2026-01-01T12:00:00Z'
const later = '2026-01-01T13:00:00Z'
const setting = (name: string, value: string) => ({
  name,
  value,
  allowable_values: null,
  attribute_type: null,
  lower_bound: null,
  max_length: null,
  min_length: null,
  read_only: null,
  reset_required: null,
  unique: null,
  upper_bound: null,
})
const names = (of: readonly { name: string }[]) => of.map(({ name }) => name)

describe('BIOS settings', () => {
  it('of one reading come together from its parts, in whatever order and however often', () => {
    const second = withSettings([], noon, [setting('C', '3')])
    const whole = withSettings(second, noon, [setting('A', '1'), setting('B', '2')])
    expect(names(whole)).toEqual(['A', 'B', 'C'])
    expect(withSettings(whole, noon, [setting('C', '3')])).toEqual(whole)
  })

  it('of an older reading are gone with the first part of a newer one, and say since when they are', () => {
    const old = withSettings([], noon, [setting('A', '1'), setting('B', '2')])
    const fresh = withSettings(old, later, [setting('A', 'x')])
    expect(fresh).toMatchObject([{ name: 'A', value: 'x', created_at: noon, updated_at: later }])
    expect(withSettings(fresh, noon, [setting('B', '2')])).toEqual(fresh)
  })
})

it('a firmware component remembers what it came with and what was flashed', () => {
  const bmc = { component: 'bmc', version: '1.0', vendor: 'v', model: null, serial_number: null }
  const first = withComponents([], noon, [bmc])
  expect(first).toMatchObject([{ initial_version: '1.0', current_version: '1.0', last_version_flashed: null }])
  expect(withComponents(first, later, [{ ...bmc, version: '1.1' }])).toMatchObject([
    {
      initial_version: '1.0',
      current_version: '1.1',
      last_version_flashed: '1.1',
      created_at: noon,
      updated_at: later,
    },
  ])
})
