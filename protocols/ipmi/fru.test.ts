import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { expect, test } from 'vitest'
import { readFru } from './fru.ts'
import { hex } from './testing/capture.ts'
import { fruBytes } from './testing/paper-inventory.ts'
import { readTypeAndLength, readTypedText } from './typed-text.ts'

test('chassis, board and product are read', () => {
  expect(readFru(fruBytes())).toEqual({
    chassis: { type: 0x17, part: 'CH-1', serial: 'C0001', custom: [] },
    board: { manufacturer: 'Acme', product: 'Board X', serial: 'B0001', part: 'PN-9', custom: [] },
    product: {
      manufacturer: 'Acme',
      name: 'Server 1U',
      part: 'SRV-1',
      version: 'A1',
      serial: 'P0001',
      assetTag: 'tag-7',
      custom: [],
    },
  })
})

test('a FRU without areas has none', () => {
  expect(readFru(hex('01 00 00 00 00 00 00 ff'))).toEqual({})
})

test('a FRU that is cut short or of which a byte differs is a WireError', () => {
  const whole = fruBytes()
  for (let at = 0; at < whole.length; at += 1) {
    expect(() => readFru(whole.subarray(0, at))).toThrow(WireError)
    const forged = new Uint8Array(whole)
    forged[at]! ^= 0x10
    expect(() => readFru(forged)).toThrow(WireError)
  }
})

test.each([
  ['c5 4869202000', 'Hi'],
  ['42 12bc', '12-.'],
  ['83 29dca6', 'IPMI'],
  ['00', ''],
])('the typed text %s is "%s"', (wire, text) => {
  const reader = new Reader(hex(wire))
  expect(readTypedText(reader, readTypeAndLength(reader.u8()))).toBe(text)
})

test('a text that is longer than what is there is a WireError', () => {
  expect(() => readTypedText(new Reader(hex('41')), { type: 3, length: 2 })).toThrow(WireError)
})
