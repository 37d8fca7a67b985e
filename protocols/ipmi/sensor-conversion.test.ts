import { expect, test } from 'vitest'
import { convert } from './sensor-conversion.ts'

const linear = { format: 0, linearization: 0, m: 1, b: 0, bExponent: 0, resultExponent: 0 }

test.each([
  ['as it is', {}, 200, 200],
  ['half a degree, ten below', { m: 5, b: -1, bExponent: 2, resultExponent: -1 }, 67, 23.5],
  ['ones’ complement', { format: 1 }, 0xfe, -1],
  ['two’s complement', { format: 2 }, 0xff, -1],
  ['inverse', { linearization: 7 }, 4, 0.25],
  ['a cube root', { linearization: 11 }, 27, 3],
  ['nothing analog', { format: 3 }, 1, undefined],
  ['one over nothing', { linearization: 7 }, 0, undefined],
  ["a vendor's own curve", { linearization: 0x70 }, 1, undefined],
])('%s', (_name, changes, raw, value) => {
  expect(convert({ ...linear, ...changes }, raw)).toBe(value)
})
