import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { count, isCounted } from './report-counter.ts'

const none = { through: 0, ahead: [] }

describe('the counter of reports', () => {
  it('goes on once a gap is filled', () => {
    const gap = count(none, [2, 3, 5])
    expect(gap).toEqual({ through: 0, ahead: [2, 3, 5] })
    expect(isCounted(gap, 3)).toBe(true)
    expect(isCounted(gap, 1)).toBe(false)
    expect(count(gap, [1])).toEqual({ through: 3, ahead: [5] })
  })

  it('comes to the same in whatever order and however often they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), fc.array(fc.integer({ min: 1, max: 30 })), (one, two) => {
        const apart = count(count(none, one), two)
        expect(apart).toEqual(count(none, [...two, ...one, ...two]))
        for (const seq of [...one, ...two]) expect(isCounted(apart, seq)).toBe(true)
      }),
    )
  })
})
