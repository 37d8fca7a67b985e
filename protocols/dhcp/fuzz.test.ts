import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { udpDatagrams } from './capture.ts'
import { decideLease } from './lease-machine.ts'
import { LeaseTable } from './lease-table.ts'
import { decodePacket, encodePacket } from './packet.ts'
import { decideProxy } from './proxy.ts'
import { readRequest } from './request.ts'

const subnet = {
  network: ipv4FromText('10.80.0.0'),
  prefix: 24,
  serverAddress: ipv4FromText('10.80.0.1'),
  first: ipv4FromText('10.80.0.100'),
  last: ipv4FromText('10.80.0.199'),
  dns: [],
  leaseSeconds: 60,
}

/** xorshift32: the same mutations in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

test('of 200,000 mutated messages none does more than a WireError, no reply is too long, and leases stay bounded', () => {
  const seeds = ['bios-ipxe-virtio', 'ovmf-pxe', 'ovmf-http', 'aavmf-pxe', 'bios-proxydhcp', 'ovmf-proxydhcp']
    .flatMap((name) => udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url))))
    .filter(({ destinationPort }) => [67, 68, 4011].includes(destinationPort))
    .map(({ payload }) => payload)
  const random = randomFrom(20_251)
  const leases = new LeaseTable([subnet])
  const servers = new Set([subnet.serverAddress])
  let answered = 0
  let refused = 0
  for (let count = 0; count < 200_000; count += 1) {
    const seed = seeds[random(seeds.length)] ?? new Uint8Array()
    const bytes = random(4) === 0 ? seed.slice(0, random(seed.length)) : seed.slice()
    for (let flips = random(6); flips > 0; flips -= 1) bytes[random(bytes.length + 1)] = random(256)
    try {
      const request = readRequest(decodePacket(bytes))
      const { reply, changes } = decideLease({
        request,
        subnet,
        servers,
        leases,
        answer: { serve: true, because: 'fuzz', boot: { server: subnet.serverAddress, file: 'undionly.kpxe' } },
        reservedFor: () => undefined,
        now: count,
      })
      for (const change of changes) leases.stage(change)
      const heardOn = random(2) === 0 ? 'dhcp' : 'pxe'
      const boot = { server: subnet.serverAddress, file: 'undionly.kpxe' }
      const proxied = decideProxy({ request, subnet, servers, answer: { serve: true, because: 'fuzz', boot }, heardOn })
      if (proxied?.reply !== undefined)
        expect(encodePacket(proxied.reply.packet, proxied.reply.limit).length).toBeLessThanOrEqual(proxied.reply.limit)
      if (reply !== undefined) {
        expect(encodePacket(reply.packet, reply.limit).length).toBeLessThanOrEqual(reply.limit)
        answered += 1
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      refused += 1
    }
  }
  expect(answered).toBeGreaterThan(1_000)
  expect(refused).toBeGreaterThan(1_000)
  expect(leases.size).toBeLessThanOrEqual(100)
}, 60_000)
