import { beforeEach, expect, test } from 'vitest'
import { ipv4FromText, ipv4ToText, macToBytes } from '@bloomery/wire/address.ts'
import { BROADCAST, MessageType, Option } from './codes.ts'
import type { Answer, Decision } from './decision.ts'
import { decideLease } from './lease-machine.ts'
import { LeaseTable } from './lease-table.ts'
import { BROADCAST_FLAG, type DhcpPacket } from './packet.ts'
import { readRequest, type RequestType } from './request.ts'
import { subnetFor, type Subnet } from './subnet.ts'

const ip = ipv4FromText
const A = '52:54:00:00:00:0a'
const B = '52:54:00:00:00:0b'
const lan: Subnet = {
  network: ip('10.1.0.0'),
  prefix: 24,
  serverAddress: ip('10.1.0.1'),
  first: ip('10.1.0.100'),
  last: ip('10.1.0.102'),
  router: ip('10.1.0.1'),
  dns: [],
  leaseSeconds: 600,
}
const remote: Subnet = {
  ...lan,
  network: ip('10.2.0.0'),
  first: ip('10.2.0.100'),
  last: ip('10.2.0.200'),
  router: undefined,
}
const subnets = [lan, remote]

let leases: LeaseTable
let now: number
let reservations: Map<string, number>
beforeEach(() => {
  leases = new LeaseTable(subnets)
  now = 1_000_000
  reservations = new Map()
})

interface Ask extends Partial<Pick<DhcpPacket, 'ciaddr' | 'giaddr'>> {
  requested?: string
  server?: string
  answer?: Answer
  relayInformation?: Uint8Array
}

function ask(type: RequestType, mac: string, more: Ask = {}): Decision {
  const options = new Map<number, Uint8Array>([[Option.messageType, Uint8Array.of(MessageType[type])]])
  if (more.requested !== undefined) options.set(Option.requestedAddress, bytes(more.requested))
  if (more.server !== undefined) options.set(Option.serverIdentifier, bytes(more.server))
  if (more.relayInformation !== undefined) options.set(Option.relayAgentInformation, more.relayInformation)
  const request = readRequest({
    op: 1,
    htype: 1,
    hops: 0,
    xid: 99,
    secs: 0,
    flags: 0,
    ciaddr: more.ciaddr ?? 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: more.giaddr ?? 0,
    chaddr: macToBytes(mac),
    sname: '',
    file: '',
    options,
  })
  const subnet = subnetFor(subnets, request, reservations.get(mac)) ?? lan
  const decision = decideLease({
    request,
    subnet,
    servers: new Set([lan.serverAddress]),
    leases,
    answer: more.answer ?? { serve: true, because: 'test', address: reservations.get(mac) },
    reservedFor: (address) => [...reservations].find(([, reserved]) => reserved === address)?.[0],
    now,
  })
  for (const change of decision.changes) leases.stage(change)
  return decision
}

function bytes(address: string): Uint8Array {
  return Uint8Array.from(address.split('.'), Number)
}

function given({ reply }: Decision): string | undefined {
  return reply === undefined ? undefined : ipv4ToText(reply.packet.yiaddr)
}

function acquire(mac: string): string {
  now += 1
  const offered = given(ask('discover', mac)) ?? ''
  ask('request', mac, { requested: offered, server: '10.1.0.1' })
  return offered
}

test('discover and request lead to a bound lease that is broadcast to the client', () => {
  const offer = ask('discover', A)
  expect(given(offer)).toBe('10.1.0.100')
  expect(offer.facts).toMatchObject({ request: 'discover', reply: 'offer', mac: A, address: '10.1.0.100' })
  const ack = ask('request', A, { requested: '10.1.0.100', server: '10.1.0.1' })
  expect(ack.facts.reply).toBe('ack')
  expect(ack.reply?.destination).toEqual({ address: BROADCAST, to: 'client' })
  expect(ack.reply?.packet.options.get(Option.leaseTime)).toEqual(Uint8Array.of(0, 0, 2, 88))
  expect(ack.reply?.packet.options.get(Option.subnetMask)).toEqual(bytes('255.255.255.0'))
  expect(leases.byAddress(ip('10.1.0.100'))).toEqual({
    address: ip('10.1.0.100'),
    mac: A,
    state: 'bound',
    expires: now + 600_000,
  })
})

test('two clients get two addresses, and a full range gets silence with a reason', () => {
  expect([acquire(A), acquire(B), acquire('52:54:00:00:00:0c')]).toEqual(['10.1.0.100', '10.1.0.101', '10.1.0.102'])
  const full = ask('discover', '52:54:00:00:00:0d')
  expect(full.reply).toBeUndefined()
  expect(full.facts.because).toBe('no address is free in the range of this subnet')
})

test('an address whose lease ran out goes to who needs it, and its client gets it back while nobody does', () => {
  const first = acquire(A)
  acquire(B)
  acquire('52:54:00:00:00:0c')
  now += 600_001
  expect(given(ask('discover', A))).toBe(first)
  expect(given(ask('discover', '52:54:00:00:00:0d'))).toBe('10.1.0.101')
})

test('an offer that nobody took is free after a minute', () => {
  for (const mac of [A, B, '52:54:00:00:00:0c']) {
    now += 1
    ask('discover', mac)
  }
  expect(ask('discover', '52:54:00:00:00:0d').reply).toBeUndefined()
  now += 60_001
  expect(given(ask('discover', '52:54:00:00:00:0d'))).toBe('10.1.0.100')
})

test('a discover by a client with a running lease offers the same address and keeps the lease', () => {
  const address = acquire(A)
  const again = ask('discover', A)
  expect(given(again)).toBe(address)
  expect(again.changes).toEqual([])
})

test('a requested address is offered where it is free', () => {
  expect(given(ask('discover', A, { requested: '10.1.0.102' }))).toBe('10.1.0.102')
  expect(given(ask('discover', B, { requested: '10.1.0.102' }))).toBe('10.1.0.100')
  expect(given(ask('discover', B, { requested: '10.1.0.7' }))).toBe('10.1.0.100')
})

test('a reservation is offered, even outside the range, and to nobody else', () => {
  reservations.set(A, ip('10.1.0.7'))
  reservations.set(B, ip('10.1.0.100'))
  expect(given(ask('discover', A))).toBe('10.1.0.7')
  expect(given(ask('discover', '52:54:00:00:00:0c'))).toBe('10.1.0.101')
  expect(given(ask('discover', B))).toBe('10.1.0.100')
})

test('a client with a reservation is refused any other address', () => {
  acquire(A)
  reservations.set(A, ip('10.1.0.7'))
  const nak = ask('request', A, { ciaddr: ip('10.1.0.100') })
  expect(nak.facts).toMatchObject({ reply: 'nak', because: '10.1.0.7 is reserved for this client' })
})

test('renewing extends the lease and is answered at the address of the client', () => {
  const address = ip(acquire(A))
  now += 300_000
  const ack = ask('request', A, { ciaddr: address })
  expect(ack.reply?.destination).toEqual({ address, to: 'client' })
  expect(ack.reply?.packet.ciaddr).toBe(address)
  expect(leases.byAddress(address)?.expires).toBe(now + 600_000)
})

test('a rebooted client that remembers a free address of this network keeps it', () => {
  expect(ask('request', A, { requested: '10.1.0.101' }).facts.reply).toBe('ack')
})

test.each([
  ['an address of another network', '192.168.5.5'],
  ['an address that another client has', '10.1.0.100'],
  ['an address outside the range', '10.1.0.9'],
  ['the address of the server', '10.1.0.1'],
])('a rebooted client that remembers %s is told to start again, by broadcast', (_, requested) => {
  acquire(A)
  const nak = ask('request', B, { requested })
  expect(nak.facts.reply).toBe('nak')
  expect(nak.reply?.destination).toEqual({ to: 'client', address: BROADCAST })
  expect(nak.reply?.packet.yiaddr).toBe(0)
  expect(leases.byMac(B)).toEqual([])
})

test('a request to another server is ignored, and what was offered is free again', () => {
  ask('discover', A)
  const other = ask('request', A, { requested: '10.1.0.200', server: '10.1.0.2' })
  expect(other.reply).toBeUndefined()
  expect(leases.byMac(A)).toEqual([])
  expect(given(ask('discover', B))).toBe('10.1.0.100')
})

test('a released address is free at once, and only its holder can release it', () => {
  const address = ip(acquire(A))
  ask('release', B, { ciaddr: address })
  expect(leases.byAddress(address)?.expires).toBe(now + 600_000)
  ask('release', A, { ciaddr: address })
  expect(leases.byAddress(address)?.expires).toBe(now)
  acquire(B)
  acquire('52:54:00:00:00:0c')
  expect(given(ask('discover', '52:54:00:00:00:0d'))).toBe('10.1.0.100')
})

test('a declined address is kept out of use for ten minutes', () => {
  const address = acquire(A)
  expect(ask('decline', A, { requested: address, server: '10.1.0.1' }).reply).toBeUndefined()
  expect(given(ask('discover', A, { requested: address }))).toBe('10.1.0.101')
  now += 600_001
  expect(given(ask('discover', B, { requested: address }))).toBe(address)
})

test('an inform is answered without address and lease time', () => {
  const ack = ask('inform', A, { ciaddr: ip('10.1.0.50') })
  expect(ack.facts.reply).toBe('ack')
  expect(ack.reply?.packet.yiaddr).toBe(0)
  expect(ack.reply?.packet.options.has(Option.leaseTime)).toBe(false)
  expect(ack.reply?.destination).toEqual({ to: 'client', address: ip('10.1.0.50') })
  expect(ack.changes).toEqual([])
})

test('a relay selects the subnet, gets the reply and finds its own information in it', () => {
  const relayInformation = Uint8Array.of(1, 2, 7, 7)
  const giaddr = ip('10.2.0.1')
  const offer = ask('discover', A, { giaddr, relayInformation })
  expect(given(offer)).toBe('10.2.0.100')
  expect(offer.reply?.destination).toEqual({ address: giaddr, to: 'relay' })
  expect(offer.reply?.packet.options.get(Option.relayAgentInformation)).toEqual(relayInformation)
  const nak = ask('request', A, { giaddr, requested: '10.1.0.100' })
  expect(nak.reply?.destination.to).toBe('relay')
  expect(nak.reply?.packet.flags).toBe(BROADCAST_FLAG)
})

test('a client that is not to be served gets nothing, and the log says why', () => {
  const decision = ask('discover', A, { answer: { serve: false, because: 'unknown machine' } })
  expect(decision).toMatchObject({ facts: { reply: 'none', because: 'unknown machine' }, changes: [] })
  expect(decision.reply).toBeUndefined()
})

test('what to boot is in the header and in the options', () => {
  const boot = { server: ip('10.1.0.1'), file: 'undionly.kpxe' }
  const { reply } = ask('discover', A, { answer: { serve: true, because: 'test', boot, hostname: 'n1' } })
  expect(reply?.packet).toMatchObject({ siaddr: boot.server, file: boot.file })
  expect(Buffer.from(reply?.packet.options.get(Option.bootFileName) ?? []).toString()).toBe('undionly.kpxe')
  expect(Buffer.from(reply?.packet.options.get(Option.tftpServerName) ?? []).toString()).toBe('10.1.0.1')
  expect(Buffer.from(reply?.packet.options.get(Option.hostName) ?? []).toString()).toBe('n1')
})

test('an address that is reserved for a place goes to who stands there now', () => {
  const reserved = ip('10.1.0.50')
  const answer: Answer = { serve: true, because: 'circuit', address: reserved, takesOver: true }
  for (const mac of [A, B]) {
    expect(given(ask('discover', mac, { answer }))).toBe('10.1.0.50')
    expect(ask('request', mac, { answer, requested: '10.1.0.50', server: '10.1.0.1' }).facts.reply).toBe('ack')
  }
  expect(leases.byAddress(reserved)?.mac).toBe(B)
  expect(leases.byMac(A)).toEqual([])
})

test('a relay that poses as the server is named in our place, and requests to it are ours (RFC 5107)', () => {
  const giaddr = ip('10.2.0.1')
  const relayInformation = Uint8Array.of(11, 4, 10, 2, 0, 1)
  const offer = ask('discover', A, { giaddr, relayInformation })
  expect(offer.reply?.packet.options.get(Option.serverIdentifier)).toEqual(bytes('10.2.0.1'))
  const ack = ask('request', A, { giaddr, relayInformation, requested: given(offer), server: '10.2.0.1' })
  expect(ack.facts.reply).toBe('ack')
  expect(ask('request', A, { giaddr, requested: given(offer), server: '10.2.0.1' }).facts.because).toBe(
    'chose the server 10.2.0.1',
  )
})

test('an address that a client never had is to be probed; its own is not, and nobody waits who is known', () => {
  const answer: Answer = { serve: true, because: 'unknown', probe: true }
  const first = ask('discover', A, { answer })
  expect(first.probe).toBe(ip('10.1.0.100'))
  ask('request', A, { answer, requested: '10.1.0.100', server: '10.1.0.1' })
  expect(ask('discover', A, { answer }).probe).toBeUndefined()
  expect(ask('discover', B).probe).toBeUndefined()
})
