import { expect, test } from 'vitest'
import { ipv4FromText, macFromBytes, macToBytes } from '@bloomery/wire/address.ts'
import { MessageType, Option } from './codes.ts'
import { decideLease } from './lease-machine.ts'
import { LeaseTable } from './lease-table.ts'
import type { Decision } from './decision.ts'
import { encodePacket, type DhcpPacket } from './packet.ts'
import { readRequest } from './request.ts'
import { subnetFor } from './subnet.ts'

const ip = ipv4FromText
const subnet = {
  network: ip('10.80.0.0'),
  prefix: 24,
  serverAddress: ip('10.80.0.1'),
  first: ip('10.80.0.100'),
  last: ip('10.80.0.199'),
  dns: [],
  leaseSeconds: 3_600,
}
const servers = new Set([subnet.serverAddress])

function message(
  mac: string,
  type: number,
  more: Partial<DhcpPacket> = {},
  options: [number, Uint8Array][] = [],
): DhcpPacket {
  const all = new Map<number, Uint8Array>([[Option.messageType, Uint8Array.of(type)], ...options])
  const none = { hops: 0, secs: 0, flags: 0, ciaddr: 0, yiaddr: 0, siaddr: 0, giaddr: 0, sname: '', file: '' }
  return { op: 1, htype: 1, xid: 7, chaddr: macToBytes(mac), ...none, ...more, options: all }
}

function decided(leases: LeaseTable, packet: DhcpPacket, now: number): Decision {
  const request = readRequest(packet)
  const answer = { serve: true, because: 'test' } as const
  const decision = decideLease({ request, subnet, servers, leases, answer, reservedFor: () => undefined, now })
  for (const change of decision.changes) leases.stage(change)
  return decision
}

test('starvation by random MACs: offers lapse after a minute, those with leases keep and renew theirs, and memory is that of the range', () => {
  const leases = new LeaseTable([subnet])
  const known = '52:54:00:00:00:01'
  const { reply } = decided(leases, message(known, MessageType.discover), 0)
  const address = reply?.packet.yiaddr ?? 0
  const asked: [number, Uint8Array][] = [
    [
      Option.requestedAddress,
      Uint8Array.of(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255),
    ],
  ]
  expect(decided(leases, message(known, MessageType.request, {}, asked), 0).facts.reply).toBe('ack')
  let offered = 0
  for (let count = 0; count < 20_000; count += 1) {
    const mac = macFromBytes(Uint8Array.of(2, count >> 16, count >> 8, count, 9, 9).map((byte) => byte & 255))
    if (decided(leases, message(mac, MessageType.discover), 1_000).reply !== undefined) offered += 1
  }
  expect(offered).toBe(99)
  expect(leases.size).toBe(100)
  expect(decided(leases, message(known, MessageType.request, { ciaddr: address }), 2_000).facts.reply).toBe('ack')
  const late = '52:54:00:00:00:02'
  expect(decided(leases, message(late, MessageType.discover), 2_000).facts.because).toContain('no address is free')
  expect(decided(leases, message(late, MessageType.discover), 62_000).facts.reply).toBe('offer')
})

test('spoofed relays: a giaddr of no subnet of ours is served from none, and so answered by nothing', () => {
  const request = readRequest(message('52:54:00:00:00:01', MessageType.discover, { giaddr: ip('192.0.2.1') }))
  expect(subnetFor([subnet], request)).toBeUndefined()
})

test('spoofed relays: what a relay says of a port is echoed to it and changes no lease of others', () => {
  const leases = new LeaseTable([subnet])
  const mine = decided(leases, message('52:54:00:00:00:01', MessageType.discover), 0).reply?.packet.yiaddr ?? 0
  const information: [number, Uint8Array] = [Option.relayAgentInformation, Uint8Array.of(1, 2, 0xaa, 0xbb)]
  const spoofed = message('52:54:00:00:00:02', MessageType.release, { giaddr: ip('10.80.0.9'), ciaddr: mine }, [
    information,
  ])
  expect(decided(leases, spoofed, 1).changes).toEqual([])
  const asked = decided(
    leases,
    message('52:54:00:00:00:02', MessageType.discover, { giaddr: ip('10.80.0.9') }, [information]),
    2,
  )
  expect(asked.reply?.packet.options.get(Option.relayAgentInformation)).toEqual(information[1])
  expect(asked.reply?.destination).toEqual({ to: 'relay', address: ip('10.80.0.9') })
  expect(asked.reply?.packet.yiaddr).not.toBe(mine)
})

test('reflection: whatever address a message gives for its client, no answer leaves the networks that are served', () => {
  const leases = new LeaseTable([subnet])
  const victim = { ciaddr: ip('192.0.2.1') }
  const mac = '52:54:00:00:00:01'
  const offer = decided(leases, message(mac, MessageType.discover, victim), 0)
  expect(offer.reply?.destination).toEqual({ to: 'client', address: ip('255.255.255.255') })
  const informed = decided(leases, message(mac, MessageType.inform, victim), 0)
  expect([informed.reply, informed.facts.because]).toEqual([
    undefined,
    'an inform from 192.0.2.1, which is on no network of ours',
  ])
  const renewed = decided(leases, message(mac, MessageType.request, victim), 0)
  expect([renewed.facts.reply, renewed.reply?.destination]).toEqual([
    'nak',
    { to: 'client', address: ip('255.255.255.255') },
  ])
})

test('amplification: one message earns one reply of at most what the client said that it takes, and never over 1,472 bytes', () => {
  const leases = new LeaseTable([subnet])
  const size: [number, Uint8Array] = [Option.maxMessageSize, Uint8Array.of(0xff, 0xff)]
  const { reply } = decided(leases, message('52:54:00:00:00:01', MessageType.discover, {}, [size]), 0)
  expect(reply?.limit).toBe(1_472)
  expect(reply && encodePacket(reply.packet, reply.limit).length).toBe(300)
})
