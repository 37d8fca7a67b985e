import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

const [SITE, ROGUE] = ['s', 'r'].map((name) => `blm-chk-${process.pid}-${name}`) as [string, string]
let network: PeerNetwork
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'foreign-'))
  network = peerNetwork([SITE, ROGUE])
  cable(network, { netns: SITE, name: 'prov0' }, { netns: ROGUE, name: 'eth0' })
  network.ip(SITE, 'address add 10.98.0.1/24 dev prov0', 'route add 255.255.255.255 dev prov0')
  network.ip(ROGUE, 'address add 10.98.0.66/24 dev eth0')
})
afterAll(async () => {
  await network?.stop()
  rmSync(dir, { recursive: true })
})

async function look(): Promise<string> {
  const program = `
    const { foreignServers } = await import(${JSON.stringify(new URL('foreign-servers.ts', import.meta.url).href)})
    const { ipv4FromText: ip } = await import('@bloomery/wire/address.ts')
    const subnet = { network: ip('10.98.0.0'), prefix: 24, serverAddress: ip('10.98.0.1'), first: 1, last: 0, dns: [], leaseSeconds: 60 }
    console.log(JSON.stringify({ found: (await foreignServers([subnet], 4711, 1500)).join() }))`
  const found: string[] = []
  network.run(SITE, [process.execPath, '--input-type=module', '-e', program], (line) => found.push(line['found'] ?? ''))
  await network.until('word of the look', () => found.length > 0)
  return found[0] ?? ''
}

test('a DHCP server that somebody left on the network is found, and a quiet network has none', async () => {
  expect(await look()).toBe('')
  const dnsmasq = 'dnsmasq --keep-in-foreground --port=0 --conf-file=/dev/null --user=root --interface=eth0 --no-ping'
  const range = ['--dhcp-range=10.98.0.100,10.98.0.150,1h', `--dhcp-leasefile=${join(dir, 'leases')}`]
  network.run(ROGUE, [...dnsmasq.split(' '), ...range])
  await network.listens(ROGUE, 'udp', 67)
  expect(await network.until('sign of the server', look)).toBe('10.98.0.66')
})
