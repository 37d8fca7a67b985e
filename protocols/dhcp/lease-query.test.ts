import { expect, test } from 'vitest'
import { ipv4FromText as ip, macToBytes } from '@bloomery/wire/address.ts'
import { MessageType, Option } from './codes.ts'
import { LeaseTable } from './lease-table.ts'
import { answerLeaseQuery, isLeaseQuery } from './lease-query.ts'
import { decodePacket, type DhcpPacket, encodePacket } from './packet.ts'

const MAC = '52:54:00:00:00:01'
const NOW = 10_000_000
const RELAY = ip('10.1.0.2')
const subnet = (third: number) => ({
  network: ip(`10.${third}.0.0`),
  prefix: 24,
  serverAddress: ip('10.1.0.1'),
  first: ip(`10.${third}.0.100`),
  last: ip(`10.${third}.0.199`),
  dns: [],
  leaseSeconds: 3_600,
})
const subnets = [subnet(1), subnet(2)]
const leases = new LeaseTable(subnets)
const lease = (address: string, expires: number, mac = MAC, state: 'bound' | 'offered' = 'bound') =>
  leases.stage({ kind: 'put', lease: { address: ip(address), mac, state, expires } })
lease('10.1.0.100', NOW + 1_000_000)
lease('10.2.0.100', NOW + 3_000_000)
lease('10.1.0.101', NOW - 1, '52:54:00:00:00:02')
lease('10.1.0.102', NOW + 60_000, '52:54:00:00:00:03', 'offered')

const packet = (more: Partial<DhcpPacket>, options: [number, Uint8Array][] = []): DhcpPacket => ({
  op: 1,
  htype: 0,
  hops: 0,
  xid: 7,
  secs: 0,
  flags: 0,
  ciaddr: 0,
  yiaddr: 0,
  siaddr: 0,
  giaddr: RELAY,
  chaddr: new Uint8Array(),
  sname: '',
  file: '',
  options: new Map([[Option.messageType, Uint8Array.of(MessageType.leaseQuery)], ...options]),
  ...more,
})
/** By way of the wire, both ways. */
function ask(query: DhcpPacket) {
  const asked = decodePacket(encodePacket(query))
  expect(isLeaseQuery(asked)).toBe(true)
  const { packet: reply, to, facts } = answerLeaseQuery(asked, { subnets, leases, askers: new Set([RELAY]), now: NOW })
  const got = decodePacket(encodePacket(reply))
  const number = (code: number) => {
    const value = got.options.get(code)
    return value && Buffer.from(value).readUInt32BE()
  }
  return { got, to, facts, type: got.options.get(Option.messageType)?.[0], number }
}

test('who has an address is told to the relay that asks: the card, what is left of the lease, and when it was last heard of', () => {
  const { got, to, facts, type, number } = ask(packet({ ciaddr: ip('10.1.0.100') }))
  expect([type, to, got.xid, got.ciaddr, got.giaddr]).toEqual([13, RELAY, 7, ip('10.1.0.100'), RELAY])
  expect(Buffer.from(got.chaddr)).toEqual(Buffer.from(macToBytes(MAC)))
  expect([number(Option.leaseTime), number(Option.lastTransaction)]).toEqual([1_000, 2_600])
  expect([number(Option.renewalTime), number(Option.rebindingTime)]).toEqual([0, 550])
  expect(number(Option.serverIdentifier)).toBe(ip('10.1.0.1'))
  expect(got.options.has(Option.associatedAddress)).toBe(false)
  expect(facts).toMatchObject({ request: 'leasequery', reply: 'leaseactive', mac: MAC, relay: '10.1.0.2' })
})

test.each([
  ['its card', packet({ htype: 1, chaddr: macToBytes(MAC) })],
  [
    'a client identifier that is its card',
    packet({}, [[Option.clientIdentifier, Uint8Array.of(1, ...macToBytes(MAC))]]),
  ],
])('by %s a machine is found with all its addresses, the one heard of last first', (_, query) => {
  const { got, type } = ask(query)
  expect([type, got.ciaddr]).toEqual([13, ip('10.2.0.100')])
  expect(Buffer.from(got.options.get(Option.associatedAddress) ?? []).toString('hex')).toBe('0a0200640a010064')
})

test.each([
  ['an address that nobody has', { ciaddr: ip('10.1.0.150') }, 11],
  ['a lease that ran out', { ciaddr: ip('10.1.0.101') }, 11],
  ['an offer that nobody took up', { ciaddr: ip('10.1.0.102') }, 11],
  ['an address that is not ours to give', { ciaddr: ip('10.1.0.9') }, 12],
  ['an address of a network that is not ours', { ciaddr: ip('192.0.2.1') }, 12],
  ['a card that has no lease', { htype: 1, chaddr: macToBytes('52:54:00:00:00:99') }, 12],
  ['nothing at all', {}, 12],
])('%s is told as such', (_, more, type) => {
  expect(ask(packet(more)).type).toBe(type)
})

test('who is not known to ask learns nothing', () => {
  for (const giaddr of [0, ip('10.1.0.77')])
    expect(() => ask(packet({ giaddr, ciaddr: ip('10.1.0.100') }))).toThrow('may not ask')
})
