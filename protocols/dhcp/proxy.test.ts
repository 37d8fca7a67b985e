import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv4FromText, ipv4ToBytes } from '@bloomery/wire/address.ts'
import { udpDatagrams } from './capture.ts'
import { BROADCAST, MessageType, Option } from './codes.ts'
import type { Answer, Decision } from './decision.ts'
import { decodePacket, type DhcpPacket } from './packet.ts'
import { decideProxy } from './proxy.ts'
import { readRequest } from './request.ts'

const ip = ipv4FromText
const proxy = ip('10.80.0.3')
const subnet = {
  network: ip('10.80.0.0'),
  prefix: 24,
  serverAddress: proxy,
  first: 1,
  last: 0,
  dns: [],
  leaseSeconds: 60,
  proxy: true,
}
const file = (name: string): Answer => ({ serve: true, because: 'test', boot: { server: proxy, file: name } })

/** What firmware sent beside the reference server, and what that answered, in order. */
function captured(name: string): { port: number; packet: DhcpPacket }[] {
  return udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url)))
    .filter(({ destinationPort, sourcePort }) => [67, 68, 4011].some((p) => p === destinationPort || p === sourcePort))
    .map(({ destinationPort, payload }) => ({ port: destinationPort, packet: decodePacket(payload) }))
}

function ask(packet: DhcpPacket, port: number, answer: Answer): Decision | undefined {
  return decideProxy({
    request: readRequest(packet),
    subnet,
    servers: new Set([proxy]),
    answer,
    heardOn: port === 4011 ? 'pxe' : 'dhcp',
  })
}

function requests(name: string): { port: number; packet: DhcpPacket }[] {
  return captured(name).filter(({ packet }) => packet.op === 1)
}

test.each(['bios-proxydhcp', 'ovmf-proxydhcp'])(
  'in %s every discover gets an offer without an address, and every boot server request its file',
  (name) => {
    const kinds = requests(name).map(({ port, packet }) => {
      const decision = ask(packet, port, file('x'))
      const chose = packet.options.get(Option.serverIdentifier)
      if (port === 67 && chose !== undefined) {
        expect(decision).toBeUndefined() // the request to the server that gives addresses
        return 'theirs'
      }
      const reply = decision?.reply
      expect(reply?.packet).toMatchObject({ yiaddr: 0, xid: packet.xid, siaddr: proxy, file: 'x' })
      expect(reply?.packet.options.get(Option.serverIdentifier)).toEqual(ipv4ToBytes(proxy))
      expect(Buffer.from(reply?.packet.options.get(Option.vendorClass) ?? []).toString()).toBe('PXEClient')
      expect(reply?.packet.options.get(Option.clientUuid)).toEqual(packet.options.get(Option.clientUuid))
      expect(reply?.packet.options.has(Option.leaseTime)).toBe(false)
      expect(reply?.destination).toEqual(port === 4011 ? { to: 'source' } : { to: 'client', address: BROADCAST })
      expect(decision?.changes).toEqual([])
      return decision?.facts.reply
    })
    expect(kinds).toContain('offer')
    expect(kinds).toContain('ack')
    expect(kinds).toContain('theirs')
  },
)

test.each(['bios-proxydhcp', 'ovmf-proxydhcp'])('in %s our replies say what the reference server said', (name) => {
  const all = captured(name)
  const reference = all.filter(({ packet }) => {
    const server = packet.options.get(Option.serverIdentifier)
    return packet.op === 2 && server !== undefined && Buffer.from(server).equals(ipv4ToBytes(proxy))
  })
  expect(reference.length).toBeGreaterThan(1)
  for (const { packet: theirs } of reference) {
    const type = theirs.options.get(Option.messageType)?.[0]
    const port = type === MessageType.ack ? 4011 : 67
    const asked = all.find(({ packet, port: to }) => packet.op === 1 && to === port && packet.xid === theirs.xid)
    if (asked === undefined) throw new Error(`no request for xid ${theirs.xid}`)
    const ours = ask(asked.packet, port, file('x'))?.reply?.packet
    expect(ours).toMatchObject({ op: 2, yiaddr: 0, xid: theirs.xid, chaddr: theirs.chaddr })
    for (const code of [Option.messageType, Option.serverIdentifier, Option.vendorClass, Option.clientUuid])
      expect(Buffer.from(ours?.options.get(code) ?? [])).toEqual(Buffer.from(theirs.options.get(code) ?? []))
    expect(ours?.options.has(Option.vendorSpecific)).toBe(theirs.options.has(Option.vendorSpecific))
    if (type === MessageType.ack) expect(ours?.ciaddr).toBe(theirs.ciaddr || theirs.yiaddr) // the reference answers a boot item (43 tag 71) in yiaddr
  }
})

test('a BIOS is told to take the file of the offer and to look for no other boot server', () => {
  const [discover] = requests('bios-proxydhcp')
  const offer = ask(discover?.packet as DhcpPacket, 67, file('undionly.kpxe'))?.reply?.packet
  expect(offer?.options.get(Option.vendorSpecific)).toEqual(Uint8Array.of(6, 1, 8, 255))
  expect(offer?.flags).toBe(0x8000)
})

test('a machine that shall not boot, or that is left to its disk, hears nothing from the proxy', () => {
  const [discover] = requests('ovmf-proxydhcp')
  for (const answer of [{ serve: false, because: 'off' } as const, { serve: true, because: 'its disk' } as const]) {
    const decision = ask(discover?.packet as DhcpPacket, 67, answer)
    expect(decision?.reply).toBeUndefined()
    expect(decision?.facts).toMatchObject({ reply: 'none', because: answer.because })
  }
})

test('an operating system, and who asks another boot server, is none of our business', () => {
  const [discover] = requests('ovmf-proxydhcp')
  const { packet } = discover as { packet: DhcpPacket }
  const without = new Map(packet.options)
  without.delete(Option.vendorClass)
  expect(ask({ ...packet, options: without }, 67, file('x'))).toBeUndefined()
  const elsewhere = new Map(packet.options).set(Option.serverIdentifier, ipv4ToBytes(ip('10.80.0.9')))
  elsewhere.set(Option.messageType, Uint8Array.of(MessageType.request))
  expect(ask({ ...packet, options: elsewhere }, 4011, file('x'))).toBeUndefined()
})
