import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bitsOf,
  formatAddress,
  formatPrefix,
  isWithin,
  type IpVersion,
  lastOf,
  overlap,
  parseAddress,
  parsePrefix,
} from './address.ts'

const version = fc.constantFrom<IpVersion>(4, 6)
const address = version.chain((each) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(bitsOf(each))) - 1n }).map((value) => ({ version: each, value })),
)

describe('an address', () => {
  it('is the same after being written and read', () => {
    fc.assert(
      fc.property(address, (one) => {
        expect(parseAddress(formatAddress(one))).toEqual(one)
      }),
    )
  })
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['::', '::'],
    ['fe80::', 'fe80::'],
  ])('%s is written %s', (given, written) => {
    const parsed = parseAddress(given)
    expect(parsed && formatAddress(parsed)).toBe(written)
  })
  it.each(['', '10.1', '010.0.0.1', '1.2.3.4.5', 'fe80::1%eth0', '1:2:3', '::1/64', '[::1]', 'a'])(
    '%j is none',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  )
})

describe('a prefix', () => {
  it('loses the bits behind it, and holds its first and its last address and none around them', () => {
    fc.assert(
      fc.property(address, fc.nat(128), (one, some) => {
        const length = some % (bitsOf(one.version) + 1)
        const prefix = parsePrefix(`${formatAddress(one)}/${length}`)
        if (!prefix) throw new Error('no prefix')
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix)
        expect(isWithin(prefix, one)).toBe(true)
        const last = lastOf(prefix)
        expect(last - prefix.base).toBe((1n << BigInt(bitsOf(one.version) - length)) - 1n)
        expect(isWithin(prefix, { version: one.version, value: last + 1n })).toBe(false)
        expect(isWithin(prefix, { version: one.version, value: prefix.base - 1n })).toBe(false)
      }),
    )
  })
  it.each(['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/-1', '10.0.0.0/ 8', '/8', 'x/8'])('%j is none', (text) =>
    expect(parsePrefix(text)).toBeUndefined(),
  )
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/9', '10.128.0.0/9', false],
    ['::/0', '0.0.0.0/0', false],
  ])('%s and %s overlap: %s', (one, other, expected) => {
    const [a, b] = [parsePrefix(one), parsePrefix(other)]
    expect(a && b && overlap(a, b)).toBe(expected)
    expect(a && b && overlap(b, a)).toBe(expected)
  })
})
