import { expect, test } from 'vitest'
import { ipv6ToBytes, ipv6ToText, macOfEui64 } from './address6.ts'
import { WireError } from './error.ts'

test.each([
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['fd00:80::1', 'fd000080000000000000000000000001'],
  ['fe80::5054:ff:feaa:61', 'fe80000000000000505400fffeaa0061'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fd00:80::', 'fd000080000000000000000000000000'],
])('%s is %s on the wire', (text, hex) => {
  expect(Buffer.from(ipv6ToBytes(text)).toString('hex')).toBe(hex)
  expect(ipv6ToText(Buffer.from(hex, 'hex'))).toBe(text)
})

test('other spellings mean the same bytes', () => {
  expect(ipv6ToBytes('FD00:0080:0:0:0:0:0:1')).toEqual(ipv6ToBytes('fd00:80::1'))
  expect(ipv6ToText(ipv6ToBytes('::ffff:10.0.0.1'))).toBe('::ffff:a00:1')
})

test.each(['', '10.0.0.1', 'fe80::1%eth0', '1::2::3', ':::', 'g::1'])('%j is no IPv6 address', (text) => {
  expect(() => ipv6ToBytes(text)).toThrow(WireError)
})

test('the MAC of a card is read from the address that it made of it, and from no other', () => {
  expect(macOfEui64(ipv6ToBytes('fe80::5054:ff:feaa:61'))).toBe('52:54:00:aa:00:61')
  expect(macOfEui64(ipv6ToBytes('fd00::1'))).toBeUndefined()
})
