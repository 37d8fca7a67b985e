import { WireError } from '@bloomery/wire/error.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMessage, encodeMessage, type Message } from './message.ts'
import { hex } from './testing/capture.ts'

const rows: [name: string, message: Message, wire: string][] = [
  [
    'Get Channel Authentication Capabilities',
    { netFn: 0x06, lun: 0, command: 0x38, sequence: 0, to: 0x20, from: 0x81, data: hex('8e04') },
    '20 18 c8 81 00 38 8e 04 b5',
  ],
  [
    'its response',
    { netFn: 0x07, lun: 0, command: 0x38, sequence: 0, to: 0x81, from: 0x20, data: hex('0001970603 00000000') },
    '81 1c 63 20 00 38 00 01 97 06 03 00 00 00 00 07',
  ],
]

test.each(rows)('%s is written and read', (_name, message, wire) => {
  expect(encodeMessage(message)).toEqual(hex(wire))
  expect(decodeMessage(hex(wire))).toEqual(message)
})

test.each([
  ['nothing', ''],
  ['six bytes', '20 18 c8 81 00 7f'],
  ['a wrong header checksum', '20 18 c9 81 00 38 8e 04 b5'],
  ['a wrong data checksum', '20 18 c8 81 00 38 8e 04 b6'],
  ['a byte too many', '20 18 c8 81 00 38 8e 04 b5 01'],
])('%s is a WireError', (_name, wire) => {
  expect(() => decodeMessage(hex(wire))).toThrow(WireError)
})

test('any message survives writing and reading, and no single changed byte goes unseen', () => {
  const byte = fc.integer({ min: 0, max: 0xff })
  const six = fc.integer({ min: 0, max: 0x3f })
  const lun = fc.integer({ min: 0, max: 3 })
  const data = fc.uint8Array({ maxLength: 64 })
  const messages = fc.record({ netFn: six, lun, command: byte, sequence: six, to: byte, from: byte, data })
  fc.assert(
    fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 0xff }), (message, at, flip) => {
      const wire = encodeMessage(message)
      expect(decodeMessage(wire)).toEqual(message)
      wire[at % wire.length]! ^= flip
      expect(() => decodeMessage(wire)).toThrow(WireError)
    }),
  )
})
