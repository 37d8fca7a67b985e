import { describe, expect, it } from 'vitest'
import { fieldSince } from './matrix.ts'
import { exists, negotiate } from './versions.ts'

describe('negotiate', () => {
  it.each([
    [undefined, undefined, 1],
    ['1.1', undefined, 1],
    ['1.115', undefined, 115],
    ['latest', undefined, 115],
    ['LATEST', undefined, 115],
    [undefined, 'baremetal 1.95', 95],
    [undefined, 'compute 2.1, baremetal 1.38', 38],
    [undefined, 'compute 2.1', 1],
    ['1.50', 'baremetal 1.95', 50],
    ['1.116', undefined, undefined],
    ['1.0', undefined, undefined],
    ['2.1', undefined, undefined],
    ['1', undefined, undefined],
    ['one', undefined, undefined],
    ['', undefined, undefined],
  ])('%j and %j make %j', (own, generic, minor) => {
    expect(negotiate(own, generic)).toBe(minor)
  })
})

it('hides a field below the version that brought it', () => {
  expect(exists(fieldSince.nodes, 'name', 4)).toBe(false)
  expect(exists(fieldSince.nodes, 'name', 5)).toBe(true)
  expect(exists(fieldSince.nodes, 'uuid', 1)).toBe(true)
})
