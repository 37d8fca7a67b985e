import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { fuzz, FUZZ_DEADLINE_MS } from '@bloomery/wire/fuzzing.ts'
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
const boot = { server: subnet.serverAddress, file: 'undionly.kpxe' }
const answer = { serve: true, because: 'fuzz', boot } as const
const servers = new Set([subnet.serverAddress])

test(
  'of mutated messages none does more than a WireError, no reply is too long, and leases stay bounded',
  () => {
    const seeds = ['bios-ipxe-virtio', 'ovmf-pxe', 'ovmf-http', 'aavmf-pxe', 'bios-proxydhcp', 'ovmf-proxydhcp']
      .flatMap((name) => udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url))))
      .filter(({ destinationPort }) => [67, 68, 4011].includes(destinationPort))
      .map(({ payload }) => payload)
    const leases = new LeaseTable([subnet])
    let answered = 0
    const seen = fuzz(seeds, (bytes, count) => {
      const request = readRequest(decodePacket(bytes))
      const situation = { request, subnet, servers, answer }
      const decision = decideLease({ ...situation, leases, reservedFor: () => undefined, now: count })
      for (const change of decision.changes) leases.stage(change)
      const proxied = decideProxy({ ...situation, heardOn: count % 2 === 0 ? 'dhcp' : 'pxe' })
      for (const reply of [decision.reply, proxied?.reply])
        if (reply !== undefined && encodePacket(reply.packet, reply.limit).length > reply.limit)
          throw new Error(`a reply is over ${reply.limit} bytes`)
      if (decision.reply !== undefined) answered += 1
      return `${request.type} ${decision.facts.reply} ${decision.facts.because}, proxy ${proxied?.facts.reply}`
    })
    expect(answered).toBeGreaterThan(1_000)
    expect([...seen.keys()].filter((word) => word.startsWith('refused')).length).toBeGreaterThan(5)
    expect(leases.size).toBeLessThanOrEqual(100)
  },
  FUZZ_DEADLINE_MS,
)
