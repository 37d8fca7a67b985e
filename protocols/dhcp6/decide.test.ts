import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv6ToBytes, ipv6ToText } from '@bloomery/wire/address6.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { MessageType, Option, Status } from './codes.ts'
import { decide, type Answer, type Decision } from './decide.ts'
import { decodeOptions, decodePacket, encodeOptions, encodePacket, optionValue, type DhcpOption } from './packet.ts'
import { linkOf, wrapped } from './relay.ts'
import { readRequest, type DhcpRequest } from './request.ts'

const SERVER = Buffer.from('0004000102030405060708090a0b0c0d0e0f', 'hex')
const CLIENT = Buffer.from('00030001525400123456', 'hex')
const link = { prefix: ipv6ToBytes('fd00:80::'), dns: [ipv6ToBytes('fd00:80::1')], leaseSeconds: 3_600 }
const served: Answer = { serve: true, because: 'test', bootUrl: 'tftp://[fd00:80::1]/snponly.efi' }
const source = ipv6ToBytes('fe80::5054:ff:fe12:3456')

function ia(iaid: number, ...addresses: Uint8Array[]): DhcpOption {
  const inner = addresses.map((address) => ({
    code: Option.iaAddress,
    value: new Writer(24).bytes(address).u32(0).u32(0).finish(),
  }))
  return { code: Option.iaNa, value: new Writer(64).u32(iaid).u32(0).u32(0).bytes(encodeOptions(inner)).finish() }
}

function message(type: number, options: DhcpOption[], server?: Uint8Array): DhcpRequest {
  const all = [{ code: Option.clientId, value: CLIENT }, ...options]
  if (server !== undefined) all.push({ code: Option.serverId, value: server })
  return readRequest(encodePacket({ type, transaction: 0x12_34_56, options: all }), source)
}

function ask(request: DhcpRequest, answer = served, declined = 0): Decision {
  return decide({ request, serverId: SERVER, link, answer, declined })
}

const options = ({ reply }: Decision): DhcpOption[] => reply?.options ?? []
/** The addresses of the first IA_NA with their valid lifetimes. */
function given(decision: Decision): [string, number][] {
  const value = optionValue(options(decision), Option.iaNa)
  if (value === undefined) return []
  return decodeOptions(value.subarray(12)).map((option) => [
    ipv6ToText(option.value.subarray(0, 16)),
    Buffer.from(option.value).readUInt32BE(20),
  ])
}

test('solicit, request, renew and rebind lead to one and the same address, with what to boot', () => {
  const advertise = ask(message(MessageType.solicit, [ia(7)]))
  expect(advertise.reply).toMatchObject({ type: MessageType.advertise, transaction: 0x12_34_56 })
  const [[address, seconds] = ['', 0]] = given(advertise)
  expect(address).toMatch(/^fd00:80::/)
  expect(seconds).toBe(3_600)
  const bytes = ipv6ToBytes(address)
  for (const [type, server] of [
    [MessageType.request, SERVER],
    [MessageType.renew, SERVER],
    [MessageType.rebind, undefined],
  ] as const) {
    const reply = ask(message(type, [ia(7, bytes)], server))
    expect(reply.reply).toMatchObject({ type: MessageType.reply })
    expect(given(reply)).toEqual([[address, 3_600]])
    expect(Buffer.from(optionValue(options(reply), Option.bootFileUrl) ?? []).toString()).toBe(
      'tftp://[fd00:80::1]/snponly.efi',
    )
    expect(optionValue(options(reply), Option.serverId)).toEqual(SERVER)
    expect(Buffer.from(optionValue(options(reply), Option.clientId) ?? [])).toEqual(CLIENT)
  }
})

test('a solicit with rapid commit is answered by a reply that says so', () => {
  const decision = ask(message(MessageType.solicit, [ia(7), { code: Option.rapidCommit, value: new Uint8Array() }]))
  expect(decision.reply?.type).toBe(MessageType.reply)
  expect(optionValue(options(decision), Option.rapidCommit)).toHaveLength(0)
})

test('another client, another association and a declined address each mean another address', () => {
  const [[first] = []] = given(ask(message(MessageType.solicit, [ia(7)])))
  const [[second] = []] = given(ask(message(MessageType.solicit, [ia(8)])))
  const [[third] = []] = given(ask(message(MessageType.solicit, [ia(7)]), served, 1))
  expect(new Set([first, second, third]).size).toBe(3)
})

test('an address from elsewhere is taken back while the right one is given', () => {
  const foreign = ipv6ToBytes('2001:db8::9')
  const reply = ask(message(MessageType.renew, [ia(7, foreign)], SERVER))
  expect(given(reply).map(([, seconds]) => seconds)).toEqual([3_600, 0])
  expect(given(reply)[1]?.[0]).toBe('2001:db8::9')
})

test.each([
  ['on', 'fd00:80::5', Status.success],
  ['off', '2001:db8::5', Status.notOnLink],
])('an address %s the link is confirmed so', (_, address, code) => {
  const reply = ask(message(MessageType.confirm, [ia(7, ipv6ToBytes(address))]))
  expect(optionValue(options(reply), Option.statusCode)).toEqual(Uint8Array.of(0, code))
})

test.each([
  ['for another server', message(MessageType.request, [ia(7)], Buffer.from('00030001020304050607', 'hex'))],
  ['it names no server', message(MessageType.request, [ia(7)])],
  ['it names a server, which it must not', message(MessageType.solicit, [ia(7)], SERVER)],
  ['it asks to confirm no address', message(MessageType.confirm, [])],
])('%s: no answer', (because, request) => {
  expect(ask(request)).toMatchObject({ facts: { reply: 'none', because } })
  expect(ask(request).reply).toBeUndefined()
})

test('a machine that shall not boot hears nothing', () => {
  expect(ask(message(MessageType.solicit, [ia(7)]), { serve: false, because: 'off' }).reply).toBeUndefined()
})

test('a decline is confirmed, and told to whoever counts', () => {
  expect(ask(message(MessageType.decline, [ia(7)], SERVER))).toMatchObject({
    declines: true,
    facts: { reply: 'reply' },
  })
})

test('HTTP firmware is answered as an HTTP client', () => {
  const decision = ask(message(MessageType.solicit, [ia(7)]), { ...served, httpClient: true } as Answer)
  const vendor = Buffer.from(optionValue(options(decision), Option.vendorClass) ?? [])
  expect(vendor.subarray(6).toString()).toBe('HTTPClient')
})

test('what AAVMF sent is understood: architecture, class, and the MAC from its address', () => {
  const pcap = readFileSync(new URL('captures/aavmf-pxe.pcap', import.meta.url))
  const at = pcap.indexOf(Buffer.from('01530280', 'hex'))
  const request = readRequest(pcap.subarray(at, at + 115), ipv6ToBytes('fe80::5054:ff:feaa:61'))
  expect(request).toMatchObject({
    type: 'solicit',
    mac: '52:54:00:aa:00:61',
    architecture: 11,
    vendorClass: 'PXEClient:Arch:00011:UNDI:003000',
  })
  expect(given(ask(request))).toHaveLength(1)
})

test('through two relays the reply goes back the way that the request came', () => {
  const inner = encodePacket({
    type: MessageType.solicit,
    transaction: 1,
    options: [{ code: Option.clientId, value: CLIENT }, ia(7)],
  })
  const hop = (bytes: Uint8Array, hops: number, at: string, name: string, more: DhcpOption[] = []): Uint8Array =>
    encodePacket({
      type: 12,
      hops,
      link: ipv6ToBytes(at),
      peer: ipv6ToBytes('fe80::1'),
      options: [
        { code: Option.interfaceId, value: Buffer.from(name) },
        { code: Option.relayMessage, value: bytes },
        ...more,
      ],
    })
  const layer = { code: Option.clientLinkLayerAddress, value: Buffer.from('0001525400aabbcc', 'hex') }
  const request = readRequest(hop(hop(inner, 0, '::', 'port7', [layer]), 1, 'fd00:80::2', 'vlan5'), source)
  expect(request.mac).toBe('52:54:00:aa:bb:cc')
  expect(ipv6ToText(linkOf(request.relays) ?? new Uint8Array())).toBe('fd00:80::2')
  const { reply } = ask(request)
  if (reply === undefined) throw new Error('no reply')
  const outer = decodePacket(wrapped(reply, request.relays))
  expect(outer).toMatchObject({ type: 13, hops: 1 })
  expect(Buffer.from(optionValue(outer.options, Option.interfaceId) ?? []).toString()).toBe('vlan5')
  const next = decodePacket(optionValue(outer.options, Option.relayMessage) ?? new Uint8Array())
  expect(Buffer.from(optionValue(next.options, Option.interfaceId) ?? []).toString()).toBe('port7')
  const innermost = optionValue(next.options, Option.relayMessage) ?? new Uint8Array()
  expect(Buffer.from(innermost)).toEqual(Buffer.from(encodePacket(reply)))
})
