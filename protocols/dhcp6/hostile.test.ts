import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { MessageType, Option } from './codes.ts'
import { decide, type Answer, type Decision, type Facts } from './decide.ts'
import { encodeOptions, encodePacket, type DhcpOption } from './packet.ts'
import { wrapped } from './relay.ts'
import { readRequest } from './request.ts'
import { startDhcp6Server } from './server.ts'

const serverId = Buffer.from('0004000102030405060708090a0b0c0d0e0f', 'hex')
const link = { prefix: ipv6ToBytes('fd00:80::'), dns: [], leaseSeconds: 3_600 }
const answer: Answer = { serve: true, because: 'test', bootUrl: 'tftp://[fd00:80::1]/snponly.efi' }
const source = ipv6ToBytes('fe80::5054:ff:fe12:3456')

function ia(iaid: number, addresses: number): DhcpOption {
  const old = new Writer(24).bytes(ipv6ToBytes('2001:db8::9')).u32(0).u32(0).finish()
  const inner = Array.from({ length: addresses }, () => ({ code: Option.iaAddress, value: old }))
  return { code: Option.iaNa, value: new Writer(64).u32(iaid).u32(0).u32(0).bytes(encodeOptions(inner)).finish() }
}

function message(type: number, client: number, options: DhcpOption[]): Uint8Array {
  const duid = new Writer(10).u16(3).u16(1).u16(0x5254).u32(client).finish()
  return encodePacket({ type, transaction: 7, options: [{ code: Option.clientId, value: duid }, ...options] })
}

function relayed(bytes: Uint8Array, hops: number, at: string): Uint8Array {
  const options = [{ code: Option.relayMessage, value: bytes }]
  return encodePacket({ type: 12, hops, link: ipv6ToBytes(at), peer: source, options })
}

function decided(bytes: Uint8Array): Decision {
  return decide({ request: readRequest(bytes, source), serverId, link, answer, declined: 0 })
}

test('starvation by made-up clients: twenty thousand get an address each, and nothing is remembered of them', () => {
  const given = new Set<string | undefined>()
  for (let client = 0; client < 20_000; client += 1)
    given.add(decided(message(MessageType.solicit, client, [ia(1, 0)])).facts.address)
  expect(given.size).toBe(20_000)
})

test('spoofed relays: more of them than a message may pass are refused', () => {
  let bytes = message(MessageType.solicit, 1, [ia(1, 0)])
  for (let hops = 0; hops < 8; hops += 1) bytes = relayed(bytes, hops, 'fd00:80::2')
  expect(decided(bytes).facts.reply).toBe('advertise')
  expect(() => decided(relayed(bytes, 8, 'fd00:80::2'))).toThrow('more than 8 relays')
})

test('spoofed relays: who names a link of nobody, or asks from afar without a relay, is not answered', async () => {
  const decisions: Facts[] = []
  const errors: string[] = []
  const server = await startDhcp6Server({
    port: 0,
    serverId,
    links: [link],
    answer: () => answer,
    onDecision: (facts) => decisions.push(facts),
    onError: ({ message }) => errors.push(message),
  })
  const asking = createSocket('udp6').bind(0, '::1')
  await once(asking, 'listening')
  const heard: Uint8Array[] = []
  asking.on('message', (bytes) => heard.push(bytes))
  const solicit = message(MessageType.solicit, 1, [ia(1, 0)])
  for (const bytes of [relayed(solicit, 0, '2001:db8::1'), solicit, relayed(solicit, 0, 'fd00:80::2')])
    asking.send(bytes, server.port, '::1')
  await expect.poll(() => heard.length).toBe(1) // to the last of them
  expect(decisions).toHaveLength(1)
  expect(errors).toEqual([
    'a DHCPv6 client asks by way of 2001:db8::1, where no link is configured',
    'a DHCPv6 client asks on interface unknown, where no link is configured',
  ])
  asking.close()
  await server.stop()
})

test.each([
  ['one address', 1, 1],
  ['a hundred addresses', 1, 100],
  ['a hundred associations', 100, 1],
])('amplification: who names %s hears at most two hundred bytes more than were sent', (_, associations, addresses) => {
  const all = Array.from({ length: associations }, (_, iaid) => ia(iaid, addresses))
  const bytes = message(MessageType.rebind, 1, all)
  const { reply } = decided(bytes)
  if (reply === undefined) throw new Error('no reply')
  expect(wrapped(reply, []).length).toBeLessThanOrEqual(bytes.length + 200)
  expect(reply.options.filter(({ code }) => code === Option.iaNa)).toHaveLength(Math.min(associations, 8))
})
