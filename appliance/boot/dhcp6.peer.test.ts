import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDhclient } from '@bloomery/dhcp/peer-dhclient.ts'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

const named = (who: string): string => `blm-dh6-${process.pid}-${who}`
const [SITE, CLIENT, RELAY, FAR] = [named('s'), named('c'), named('r'), named('f')]
let network: PeerNetwork
let dir: string
const lines: Record<string, string>[] = []

/** The boot services as a program in one namespace, with radvd as their child; dhclient on their link, and behind Debian's relay. */
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dhcp6-'))
  network = peerNetwork([SITE, CLIENT, RELAY, FAR])
  network.ip(SITE, 'link add prov0 type bridge', 'link set prov0 up')
  cable(network, { netns: SITE, name: 'p0' }, { netns: CLIENT, name: 'eth0' })
  cable(network, { netns: SITE, name: 'p1' }, { netns: RELAY, name: 'up0' })
  cable(network, { netns: RELAY, name: 'lan0' }, { netns: FAR, name: 'eth0' })
  network.ip(SITE, 'link set p0 master prov0', 'link set p1 master prov0')
  network.ip(RELAY, 'address add fd00:96::2/64 dev up0 nodad', 'address add fd00:95::1/64 dev lan0 nodad')
  network.ip(SITE, 'address add 10.96.0.1/24 dev prov0', 'address add fd00:96::1/64 dev prov0 nodad')
  network.ip(SITE, 'route add 255.255.255.255 dev prov0')
  for (const name of ['kernel', 'initrd', 'loader']) writeFileSync(join(dir, name), `${name} bytes`)
  let up = false
  const program = new URL('peer-services.ts', import.meta.url).pathname
  network.run(SITE, [process.execPath, program, dir], (line) => {
    if ('up' in line) up = true
    else lines.push(line)
  })
  await network.until('word of the boot services', () => up)
})
afterAll(async () => {
  await network?.stop()
  rmSync(dir, { recursive: true })
})

const ipv6 = true

test('dhclient gets a stable IPv6 address, and the link says that DHCPv6 is to be asked', async () => {
  expect(await startDhclient(network, CLIENT, dir, { ipv6 }).bound()).toMatch(/^fd00:96::?[0-9a-f:]+$/)
  await expect
    .poll(() => lines.map(({ request, reply }) => `${request} ${reply}`))
    .toEqual(expect.arrayContaining(['solicit advertise', 'request reply']))
  const routes = (): string => execFileSync('ip', ['-netns', CLIENT, '-6', 'route', 'show', 'dev', 'eth0']).toString()
  // From the router advertisement.
  await network.until('route of the link', () => routes().includes('fd00:96::/64'))
})

test("behind Debian's relay a client gets an address of its own network", async () => {
  lines.length = 0
  const tentative = (): Buffer => execFileSync('ip', ['-netns', RELAY, '-6', 'address', 'show', 'tentative'])
  await network.until("end of duplicate detection on the relay's cards", () => tentative().length === 0)
  network.run(RELAY, ['dhcrelay', '-6', '-d', '--no-pid', '-I', '-l', 'lan0', '-u', 'fd00:96::1%up0'])
  await network.listens(RELAY, 'udp', 547)
  expect(await startDhclient(network, FAR, dir, { ipv6 }).bound()).toMatch(/^fd00:95::?[0-9a-f:]+$/)
  const mac = execFileSync('ip', ['netns', 'exec', FAR, 'cat', '/sys/class/net/eth0/address'], { encoding: 'utf8' })
  const answered = (): unknown[] => lines.filter(({ reply }) => reply === 'reply').map((line) => line['mac'])
  await expect.poll(answered).toContain(mac.trim())
})
