import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { encodePacket } from '@bloomery/dhcp6/packet.ts'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'
import { openMetrics } from '../metrics.ts'
import { openAddresses6 } from './addresses6.ts'
import { bootConfig6 } from './config6.ts'
import { startBootDhcp6 } from './dhcp6.ts'
import { noDiscovery } from './discovery.ts'
import type { BootMachine } from './machine.ts'
import { bootUrls } from './urls.ts'

const MAC = '52:54:00:00:00:01'

test('the address that DHCPv6 gives to a card is known to be its own', async () => {
  const machine: BootMachine = { node: 'n1', generation: 1, macs: [MAC], arch: 'x86_64', mode: 'ramdisk' }
  const addresses6 = openAddresses6()
  const given: unknown[] = []
  const nothing = (): void => {}
  const none = (): undefined => undefined
  const server = await startBootDhcp6({
    config: { ...bootConfig6.parse({ address: 'fd00::1', links: [{ prefix: 'fd00::/64' }] }), ports: { dhcp: 0 } },
    directory: { byMac: () => machine, byBootToken: none, bySpentToken: none, bootToken: () => 'token' },
    discovery: noDiscovery,
    policy: { unknownMachines: 'ignore', hasLoader: () => true, hasRamdisk: () => true },
    urls: bootUrls('http://[fd00::1]:8080'),
    addresses6,
    events: { seen: nothing },
    log: { debug: nothing, info: (facts) => void given.push(facts['address']), warn: nothing, error: nothing },
    metrics: openMetrics(),
  })
  const relay = createSocket('udp6').bind(0, '::1')
  await once(relay, 'listening')
  // Solicit with rapid commit, client identifier (DUID-LL) and one association, by way of a relay.
  const solicit = Buffer.from(
    `01000007000e00000001000a00030001${MAC.replaceAll(':', '')}0003000c${'0'.repeat(24)}`,
    'hex',
  )
  const [link, peer] = [ipv6ToBytes('fd00::2'), ipv6ToBytes('fe80::1')]
  const forward = encodePacket({ type: 12, hops: 0, link, peer, options: [{ code: 9, value: solicit }] })
  relay.send(forward, server.port, '::1')
  await once(relay, 'message')
  expect(given).toHaveLength(1)
  expect(addresses6.macAt(String(given[0]))).toBe(MAC)
  relay.close()
  await server.stop()
})

test('addresses without end are forgotten from the oldest on, and what was given again is kept', () => {
  const addresses6 = openAddresses6()
  addresses6.learn('fd00::a', 'a')
  addresses6.learn('fd00::b', 'b')
  addresses6.learn('fd00::a', 'c')
  for (let count = 0; count < 8_191; count += 1) addresses6.learn(`fd00::1:${count.toString(16)}`, 'x')
  expect([addresses6.macAt('fd00::a'), addresses6.macAt('fd00::b')]).toEqual(['c', undefined])
})
