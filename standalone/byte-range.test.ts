import { describe, expect, it } from 'vitest'
import { byteRange } from './byte-range.ts'

describe('byteRange', () => {
  it.each([
    [undefined, undefined],
    ['bytes=0-', [0, 9]],
    ['bytes=3-5', [3, 5]],
    ['bytes=9-9', [9, 9]],
    ['bytes=3-99', [3, 9]],
    ['bytes=-3', [7, 9]],
    ['bytes=-99', [0, 9]],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-3', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=-', undefined],
    ['lines=1-2', undefined],
  ])('of ten bytes, %s is %j', (header, range) => {
    expect(byteRange(header, 10)).toEqual(range)
  })
})
