import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ipv4FromBytes, ipv4FromText, ipv4ToBytes, ipv4ToText, macFromBytes, macToBytes, normalMac } from './address.ts'
import { WireError } from './error.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

test('what a writer wrote, a reader reads, in both byte orders', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xff }),
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.uint8Array({ maxLength: 700 }),
      (small, middle, large, bytes) => {
        const packet = new Writer(1).u8(small).u16(middle).u16le(middle).u32(large).u32le(large).bytes(bytes).finish()
        const reader = new Reader(packet)
        expect([reader.u8(), reader.u16(), reader.u16le(), reader.u32(), reader.u32le()]).toEqual([
          small,
          middle,
          middle,
          large,
          large,
        ])
        expect(reader.rest()).toEqual(bytes)
        expect(reader.remaining).toBe(0)
      },
    ),
  )
})

test.each([
  ['u8', 0],
  ['u16', 1],
  ['u16le', 1],
  ['u32', 3],
  ['u32le', 3],
] as const)('%s past the end is a WireError', (field, length) => {
  expect(() => new Reader(new Uint8Array(length))[field]()).toThrow(WireError)
})

test('bytes past the end, a negative count and a text without NUL are WireErrors', () => {
  expect(() => new Reader(new Uint8Array(4)).bytes(5)).toThrow(WireError)
  expect(() => new Reader(new Uint8Array(4)).skip(-1)).toThrow(WireError)
  expect(() => new Reader(Uint8Array.of(65, 66)).untilNul()).toThrow(WireError)
})

test('a text ends at its NUL and reading goes on behind it', () => {
  const reader = new Reader(Uint8Array.of(65, 66, 0, 7))
  expect(reader.untilNul()).toEqual(Uint8Array.of(65, 66))
  expect(reader.u8()).toBe(7)
})

test.each([Uint8Array.of(1, 2, 3), Buffer.of(1, 2, 3)])(
  'decoded bytes do not change with what they came from',
  (buffer) => {
    const taken = new Reader(buffer).bytes(3)
    buffer.fill(9)
    expect(taken).toEqual(Uint8Array.of(1, 2, 3))
  },
)

test('a value too large for its field is refused, not cut', () => {
  expect(() => new Writer().u8(256)).toThrow(RangeError)
  expect(() => new Writer().u16(-1)).toThrow(RangeError)
  expect(() => new Writer().u32(2 ** 32)).toThrow(RangeError)
  expect(() => new Writer().padded(new Uint8Array(5), 4)).toThrow(RangeError)
})

test('addresses go through text and bytes unchanged', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.uint8Array({ minLength: 6, maxLength: 6 }), (ip, mac) => {
      expect(ipv4FromText(ipv4ToText(ip))).toBe(ip)
      expect(ipv4FromBytes(ipv4ToBytes(ip))).toBe(ip)
      expect(macToBytes(macFromBytes(mac))).toEqual(mac)
    }),
  )
  expect(ipv4ToText(0xfffe_0001)).toBe('255.254.0.1')
  expect(normalMac('52-54-00-AB-cd-EF')).toBe('52:54:00:ab:cd:ef')
})

test.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.-4', ' 1.2.3.4', '1.2.3.4e0'])(
  '%j is not an IPv4 address',
  (text) => {
    expect(() => ipv4FromText(text)).toThrow(WireError)
  },
)

test.each(['', '52:54:00:ab:cd', '52:54:00:ab:cd:ef:01', '5254.00ab.cdef', 'zz:54:00:ab:cd:ef'])(
  '%j is not a MAC address',
  (text) => {
    expect(() => normalMac(text)).toThrow(WireError)
  },
)
