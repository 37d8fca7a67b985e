import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ADDRESSES_SETTLED, cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

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
  await vi.waitFor(() => expect(up).toBe(true), { timeout: 20_000 })
}, 60_000)
afterAll(async () => {
  await network?.stop()
  rmSync(dir, { recursive: true })
})

function lease(netns: string): () => string | undefined {
  const script = join(dir, netns)
  writeFileSync(
    script,
    `#!/bin/sh\n[ "$reason" != PREINIT6 ] || ${ADDRESSES_SETTLED}\necho "$reason $new_ip6_address" >>'${script}.reasons'\n`,
  )
  chmodSync(script, 0o755)
  const own = ['-sf', script, '-lf', `${script}.lf`, '-pf', `${script}.pid`, '-cf', '/dev/null']
  network.run(netns, ['dhclient', '-6', '-d', ...own, 'eth0'])
  return () => {
    try {
      return /^BOUND6 (.*)$/m.exec(readFileSync(`${script}.reasons`, 'utf8'))?.[1]
    } catch {
      return undefined
    }
  }
}

test('dhclient gets a stable IPv6 address, and the link says that DHCPv6 is to be asked', async () => {
  await expect.poll(lease(CLIENT), { timeout: 30_000 }).toMatch(/^fd00:96::?[0-9a-f:]+$/)
  expect(lines.map(({ request, reply }) => `${request} ${reply}`)).toEqual(
    expect.arrayContaining(['solicit advertise', 'request reply']),
  )
  const routes = (): string => execFileSync('ip', ['-netns', CLIENT, '-6', 'route', 'show', 'dev', 'eth0']).toString()
  await expect.poll(routes, { timeout: 20_000 }).toContain('fd00:96::/64') // from the router advertisement
}, 80_000)

test("behind Debian's relay a client gets an address of its own network", async () => {
  lines.length = 0
  network.run(RELAY, ['dhcrelay', '-6', '-d', '--no-pid', '-I', '-l', 'lan0', '-u', 'fd00:96::1%up0'])
  await expect.poll(lease(FAR), { timeout: 40_000 }).toMatch(/^fd00:95::?[0-9a-f:]+$/)
  const mac = execFileSync('ip', ['netns', 'exec', FAR, 'cat', '/sys/class/net/eth0/address'], { encoding: 'utf8' })
  expect(lines.filter(({ reply }) => reply === 'reply').map((line) => line['mac'])).toContain(mac.trim())
}, 80_000)
