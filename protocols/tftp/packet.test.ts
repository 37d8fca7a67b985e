import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { WireError } from '@bloomery/wire/error.ts'
import { udpDatagrams } from '../dhcp/capture.ts'
import { decodePacket, encodePacket, type TftpPacket } from './packet.ts'

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength }).map((codes) => String.fromCharCode(...codes))
const printable = fc
  .array(fc.integer({ min: 0x20, max: 0x7e }), { maxLength: 60 })
  .map((codes) => String.fromCharCode(...codes))
const options = fc
  .array(fc.tuple(fc.constantFrom('blksize', 'tsize', 'timeout', 'windowsize', 'other'), text(10)), { maxLength: 5 })
  .map((entries) => new Map(entries))
const word = fc.nat(0xffff)
const anyPacket: fc.Arbitrary<TftpPacket> = fc.oneof(
  fc.record({
    op: fc.constantFrom('rrq' as const, 'wrq' as const),
    file: text(128),
    mode: fc.constant('octet'),
    options,
  }),
  fc.record({ op: fc.constant('data' as const), block: word, data: fc.uint8Array({ maxLength: 1_468 }) }),
  fc.record({ op: fc.constant('ack' as const), block: word }),
  fc.record({ op: fc.constant('error' as const), code: word, message: printable }),
  fc.record({ op: fc.constant('oack' as const), options }),
)

test('what was encoded decodes to the same', () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      expect(decodePacket(encodePacket(packet))).toEqual(packet)
    }),
  )
})

test.each([
  ['bios-ipxe-virtio', { blksize: '1432', tsize: '0' }],
  ['ovmf-pxe', { tsize: '0', blksize: '1468', windowsize: '4' }],
])('the first read request of %s asks for what its firmware asks', (capture, asked) => {
  const datagrams = udpDatagrams(readFileSync(new URL(`captures/${capture}.pcap`, import.meta.url)))
  const first = datagrams.find(({ destinationPort }) => destinationPort === 69)
  const packet = decodePacket(first?.payload ?? new Uint8Array())
  expect(packet).toMatchObject({ op: 'rrq', mode: 'octet' })
  expect(packet.op === 'rrq' && Object.fromEntries(packet.options)).toEqual(asked)
})

test('EDK2 ends its size probe with error 8', () => {
  const datagrams = udpDatagrams(readFileSync(new URL('captures/ovmf-win4.pcap', import.meta.url)))
  const error = datagrams
    .filter(({ sourcePort }) => sourcePort >= 1_024 && sourcePort < 2_000)
    .map(({ payload }) => decodePacket(payload))
    .find(({ op }) => op === 'error')
  expect(error).toEqual({ op: 'error', code: 8, message: 'User aborted the transfer' })
})

test('a mode and an option name mean the same in capitals', () => {
  const bytes = Buffer.from('\0\u0001f\0OCTET\0BLKSIZE\u00001432\0', 'latin1')
  expect(decodePacket(bytes)).toMatchObject({ mode: 'octet', options: new Map([['blksize', '1432']]) })
})

test.each([
  ['nothing', ''],
  ['one byte', '\0'],
  ['an unknown opcode', '\0\u0007'],
  ['an ACK without a block', '\0\u0004\0'],
  ['a name without its end', '\0\u0001name'],
  ['a request without a mode', '\0\u0001name\0'],
  ['an option without a value', '\0\u0001f\0octet\0blksize\0'],
  ['an option twice', '\0\u0001f\0octet\0tsize\u00000\0tsize\u00000\0'],
  ['a request of 600 bytes', `\0\u0001${'x'.repeat(600)}\0octet\0`],
])('%s is refused', (_, bytes) => {
  expect(() => decodePacket(Buffer.from(bytes, 'latin1'))).toThrow(WireError)
})
