import { expect, test } from 'vitest'
import { ipv4FromText, ipv4ToBytes } from '@bloomery/wire/address.ts'
import { MessageType, Option } from './codes.ts'
import { decodePacket, encodePacket, type DhcpPacket } from './packet.ts'
import { readRequest } from './request.ts'
import { chosenByClient, offeredToProbe, probeMessage } from './rogue.ts'

const ip = ipv4FromText
const us = new Set([ip('10.1.0.1')])
const subnet = {
  network: ip('10.1.0.0'),
  prefix: 24,
  serverAddress: ip('10.1.0.1'),
  first: ip('10.1.0.100'),
  last: ip('10.1.0.199'),
  dns: [],
  leaseSeconds: 60,
}

function offerBy(server: string, change: Partial<DhcpPacket> = {}): DhcpPacket {
  const probe = decodePacket(encodePacket(probeMessage(subnet, 77)))
  const options = new Map([
    [Option.messageType as number, Uint8Array.of(MessageType.offer)],
    [Option.serverIdentifier as number, ipv4ToBytes(ip(server))],
  ])
  return { ...probe, op: 2, yiaddr: ip('192.168.1.9'), options, ...change }
}

test('the probe is a discover that servers answer to our own port', () => {
  const request = readRequest(decodePacket(encodePacket(probeMessage(subnet, 77))))
  expect(request).toMatchObject({ type: 'discover', packet: { giaddr: subnet.serverAddress, xid: 77 } })
})

test('an offer to our probe names the server and what it would give', () => {
  expect(offeredToProbe(offerBy('192.168.1.1'), 77, us)).toEqual({
    server: '192.168.1.1',
    how: 'offered to our probe',
    offered: '192.168.1.9',
  })
})

test.each([
  ['our own', offerBy('10.1.0.1'), 77],
  ['of another transaction', offerBy('192.168.1.1'), 78],
  ['to another client', offerBy('192.168.1.1', { chaddr: Uint8Array.of(1, 2, 3, 4, 5, 6) }), 77],
])('an offer that is %s tells nothing', (_, packet, xid) => {
  expect(offeredToProbe(packet, xid, us)).toBeUndefined()
})

test('a client that chooses another server gives it away', () => {
  const options = new Map([
    [Option.messageType as number, Uint8Array.of(MessageType.request)],
    [Option.serverIdentifier as number, ipv4ToBytes(ip('10.1.0.77'))],
  ])
  const request = readRequest({ ...probeMessage(subnet, 1), options })
  expect(chosenByClient(request, us)).toMatchObject({ server: '10.1.0.77', how: 'chosen by a client' })
  expect(chosenByClient(request, new Set([ip('10.1.0.77')]))).toBeUndefined()
})
