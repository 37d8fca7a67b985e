import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { udpDatagrams } from './capture.ts'
import { Option } from './codes.ts'
import { decodePacket, encodePacket, type DhcpPacket } from './packet.ts'
import { readRequest, userClasses, type DhcpRequest } from './request.ts'

const CAPTURES = ['bios-ipxe-virtio', 'ovmf-pxe', 'ovmf-http', 'aavmf-pxe', 'bios-proxydhcp']

function captured(name: string): Uint8Array[] {
  const datagrams = udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url)))
  return datagrams.filter(({ destinationPort }) => [67, 68].includes(destinationPort)).map(({ payload }) => payload)
}

function firstRequests(name: string): DhcpRequest[] {
  return captured(name)
    .map(decodePacket)
    .filter(({ op }) => op === 1)
    .map(readRequest)
}

const blank: DhcpPacket = {
  op: 1,
  htype: 1,
  hops: 0,
  xid: 7,
  secs: 0,
  flags: 0,
  ciaddr: 0,
  yiaddr: 0,
  siaddr: 0,
  giaddr: 0,
  chaddr: Uint8Array.of(0x52, 0x54, 0, 0xab, 0xcd, 0xef),
  sname: '',
  file: '',
  options: new Map(),
}

const ip = fc.integer({ min: 0, max: 0xffff_ffff })
const name = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength }).map((codes) => String.fromCharCode(...codes))
const anyPacket: fc.Arbitrary<DhcpPacket> = fc.record({
  op: fc.constantFrom(1 as const, 2 as const),
  htype: fc.nat(255),
  hops: fc.nat(255),
  xid: ip,
  secs: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  ciaddr: ip,
  yiaddr: ip,
  siaddr: ip,
  giaddr: ip,
  chaddr: fc.uint8Array({ maxLength: 16 }),
  sname: name(64),
  file: name(128),
  options: fc
    .array(
      fc.tuple(
        fc.integer({ min: 1, max: 254 }).filter((code) => code !== Option.overload),
        fc.uint8Array({ maxLength: 600 }),
      ),
      { maxLength: 8 },
    )
    .map((entries) => new Map(entries)),
})

test('what was encoded decodes to the same, with options of any length', () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      expect(decodePacket(encodePacket(packet, 9_000))).toEqual(packet)
    }),
  )
})

test('a message is never longer than the limit that its receiver gave, nor shorter than 300 bytes', () => {
  fc.assert(
    fc.property(anyPacket, fc.integer({ min: 548, max: 1472 }), (packet, limit) => {
      const options = new Map(packet.options)
      options.delete(Option.relayAgentInformation)
      const { length } = encodePacket({ ...packet, options }, limit)
      expect(length).toBeLessThanOrEqual(limit)
      expect(length).toBeGreaterThanOrEqual(300)
    }),
  )
})

test.each(CAPTURES)('every message of %s decodes, and decodes the same after encoding', (capture) => {
  const messages = captured(capture)
  expect(messages.length).toBeGreaterThan(3)
  for (const bytes of messages) {
    const packet = decodePacket(bytes)
    expect(decodePacket(encodePacket(packet, 1_472))).toEqual(packet)
  }
})

test.each([
  { capture: 'bios-ipxe-virtio', architecture: 0, classes: ['iPXE'], ipxe: true, vendor: 'PXEClient:Arch:00000' },
  { capture: 'ovmf-pxe', architecture: 7, classes: [], ipxe: false, vendor: 'PXEClient:Arch:00007' },
  { capture: 'ovmf-http', architecture: 16, classes: [], ipxe: false, vendor: 'HTTPClient:Arch:00016' },
  { capture: 'aavmf-pxe', architecture: 11, classes: [], ipxe: false, vendor: 'PXEClient:Arch:00011' },
])('the first request of $capture says what its firmware is', ({ capture, architecture, classes, ipxe, vendor }) => {
  const request = firstRequests(capture).find(({ vendorClass }) => vendorClass.startsWith(vendor))
  expect(request).toMatchObject({ type: 'discover', architecture, userClasses: classes, ipxeOptions: ipxe })
  expect(request?.maxLength).toBe(1_472 - 28)
  expect(request?.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

test('options that overflow go to file and sname, and come back', () => {
  const options = new Map([
    [Option.messageType, Uint8Array.of(2)],
    [200, new Uint8Array(270).fill(1)],
    [201, new Uint8Array(100).fill(2)],
    [202, new Uint8Array(50).fill(3)],
  ])
  const bytes = encodePacket({ ...blank, options })
  expect(bytes.length).toBeLessThanOrEqual(548)
  expect(decodePacket(bytes).options).toEqual(options)
})

test('relay agent information is the last option', () => {
  const options = new Map([
    [Option.relayAgentInformation, Uint8Array.of(1, 2, 3, 4)],
    [Option.messageType, Uint8Array.of(2)],
  ])
  const bytes = encodePacket({ ...blank, options }, 1_472)
  expect(Array.from(bytes.subarray(240, 250))).toEqual([53, 1, 2, 82, 4, 1, 2, 3, 4, 255])
})

test.each([
  ['nothing', new Uint8Array()],
  ['half a header', new Uint8Array(100)],
  ['another cookie', change(236, 0x11)],
  ['op 3', change(0, 3)],
  ['hlen 17', change(2, 17)],
  ['an option that ends behind the packet', change(241, 255)],
  ['overload 4', overload(4)],
  ['ten thousand bytes', new Uint8Array(10_000)],
])('%s is refused', (_, bytes) => {
  expect(() => decodePacket(bytes)).toThrow(WireError)
})

test.each([
  ['pad between options', [0, 0, 53, 1, 1, 0, 255]],
  ['no end option', [53, 1, 1]],
])('%s is understood', (_, options) => {
  const bytes = Buffer.concat([encodePacket(blank).subarray(0, 240), Uint8Array.from(options)])
  expect(decodePacket(bytes).options.get(Option.messageType)).toEqual(Uint8Array.of(1))
})

test('user classes are read with RFC 3004 lengths and as the bare word', () => {
  expect(userClasses(Buffer.from('iPXE'))).toEqual(['iPXE'])
  expect(userClasses(Buffer.from('\u0004iPXE\u0003lab'))).toEqual(['iPXE', 'lab'])
  expect(userClasses(new Uint8Array())).toEqual([])
})

test('the link that a relay selects is read from its sub-option 5', () => {
  const options = new Map([
    [Option.messageType, Uint8Array.of(1)],
    [Option.relayAgentInformation, Uint8Array.of(1, 1, 9, 5, 4, 10, 9, 0, 0)],
  ])
  expect(readRequest({ ...blank, options }).relay).toEqual({ circuit: '09', link: ipv4FromText('10.9.0.0') })
})

test.each([
  ['no message type', new Map<number, Uint8Array>()],
  ['a reply type', new Map([[Option.messageType, Uint8Array.of(2)]])],
  [
    'a requested address of 3 bytes',
    new Map([
      [Option.messageType, Uint8Array.of(1)],
      [Option.requestedAddress, Uint8Array.of(1, 2, 3)],
    ]),
  ],
])('a request with %s is dropped', (_, options) => {
  expect(() => readRequest({ ...blank, options })).toThrow(WireError)
})

function change(at: number, value: number): Uint8Array {
  const bytes = encodePacket({ ...blank, options: new Map([[Option.messageType, Uint8Array.of(1)]]) })
  bytes[at] = value
  return bytes
}

function overload(value: number): Uint8Array {
  const options = Uint8Array.of(Option.overload, 1, value, 255)
  return Buffer.concat([encodePacket(blank).subarray(0, 240), options])
}
