import { describe, expect, it } from 'vitest'
import { printable, record, tabular } from './output.ts'

describe('tabular', () => {
  it('makes columns as wide as what is in them', () => {
    expect(
      tabular(
        ['A', 'LONGER'],
        [
          ['wide value', null],
          ['x', { a: 1 }],
        ],
      ),
    ).toBe('A           LONGER\nwide value\nx           {"a":1}')
  })
})

describe('record', () => {
  it('leaves out what is empty, but not what is false or zero', () => {
    expect(record({ name: 'n', none: null, empty: {}, off: false, zero: 0 })).toBe('name  n\noff   false\nzero  0')
  })
})

describe('printable', () => {
  it('lets no text steer the terminal', () => {
    expect(printable('a\u001b[2Jb\r\nc\u009b1m')).toBe('a [2Jb  c 1m')
  })
})
