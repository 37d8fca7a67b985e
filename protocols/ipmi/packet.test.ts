import { WireError } from '@bloomery/wire/error.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePacket, encodePacket, type Packet, plainPacket } from './packet.ts'
import { hex, readCapture } from './testing/capture.ts'

const rows: [name: string, packet: Packet, wire: string][] = [
  ['an ASF ping', { format: 'asf', type: 'ping', tag: 9 }, '0600ff06 000011be 80 09 00 00'],
  [
    'an ASF pong of a BMC',
    { format: 'asf', type: 'pong', tag: 9, ipmi: true },
    '0600ff06 000011be 40 09 00 10 000011be 00000000 81 00 000000000000',
  ],
  [
    'a 1.5 packet outside sessions',
    { format: '1.5', authType: 0, sequence: 0, sessionId: 0, payload: hex('2018c88100388e04b5') },
    '0600ff07 00 00000000 00000000 09 2018c88100388e04b5',
  ],
  [
    'a 1.5 packet with an authentication code',
    { format: '1.5', authType: 2, sequence: 1, sessionId: 2, authCode: hex('aa'.repeat(16)), payload: hex('01') },
    `0600ff07 02 01000000 02000000 ${'aa'.repeat(16)} 01 01`,
  ],
  ['RAKP 4 in the clear', plainPacket(0x15, hex('00020000')), '0600ff07 06 15 00000000 00000000 0400 00020000'],
  [
    'a protected packet',
    {
      format: '2.0',
      payloadType: 0,
      encrypted: true,
      authenticated: true,
      sessionId: 0x04030201,
      sequence: 5,
      payload: hex('aabb'),
      trailer: hex('ffff0207'),
    },
    '0600ff07 06 c0 01020304 05000000 0200 aabb ffff0207',
  ],
]

test.each(rows)('%s is written and read', (_name, packet, wire) => {
  expect(encodePacket(packet)).toEqual(hex(wire))
  expect(decodePacket(hex(wire))).toEqual(packet)
})

test.each([
  ['nothing', ''],
  ['another RMCP version', '0500ff07 00 00000000 00000000 00'],
  ['an OEM class', '0600ff08 00'],
  ['an RMCP ack', '06000087'],
  ['another ASF enterprise', '0600ff06 000011bf 80 09 00 00'],
  ['a ping with data', '0600ff06 000011be 80 09 00 01 00'],
  ['a short pong', '0600ff06 000011be 40 09 00 10 000011be'],
  ['an undefined authentication type', '0600ff07 03 00000000 00000000 00'],
  ['a 1.5 payload shorter than its length', '0600ff07 00 00000000 00000000 09 20'],
  ['a 2.0 payload shorter than its length', '0600ff07 06 00 00000000 00000000 0900 20'],
  ['a 2.0 payload of 64 KiB', `0600ff07 06 00 00000000 00000000 ffff ${'00'.repeat(0xffff)}`],
  ['an OEM payload', '0600ff07 06 02 00000000 0000 00000000 00000000 0000'],
])('%s is a WireError', (_name, wire) => {
  expect(() => decodePacket(hex(wire))).toThrow(WireError)
})

describe('packets of ipmitool and ipmi_sim', () => {
  const capture = readCapture('ipmitool-power-status')

  test('are all read, and written again byte for byte', () => {
    expect(capture).toHaveLength(22)
    for (const bytes of capture) expect(encodePacket(decodePacket(bytes))).toEqual(bytes)
  })

  test('are not read when cut short before their payload ends', () => {
    for (const bytes of capture.slice(0, 8)) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(() => decodePacket(bytes.subarray(0, length))).toThrow(WireError)
      }
    }
  })
})

test('any RMCP+ packet survives writing and reading', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
  const packets = fc.record({
    format: fc.constant('2.0' as const),
    payloadType: fc.integer({ min: 0, max: 0x3f }).filter((type) => type !== 2),
    encrypted: fc.boolean(),
    authenticated: fc.boolean(),
    sessionId: uint32,
    sequence: uint32,
    payload: fc.uint8Array({ maxLength: 1024 }),
    trailer: fc.uint8Array({ maxLength: 40 }),
  })
  fc.assert(
    fc.property(packets, (packet) => {
      expect(decodePacket(encodePacket(packet))).toEqual(packet)
    }),
  )
})
