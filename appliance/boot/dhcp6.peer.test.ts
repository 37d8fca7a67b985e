import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

const [SITE, CLIENT] = ['s', 'c'].map((name) => `blm-dh6-${process.pid}-${name}`) as [string, string]
let network: PeerNetwork
let dir: string
const lines: Record<string, string>[] = []

/** The boot services as a program in one namespace, with radvd as their child, and dhclient in another. */
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dhcp6-'))
  network = peerNetwork([SITE, CLIENT])
  cable(network, { netns: SITE, name: 'prov0' }, { netns: CLIENT, name: 'eth0' })
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

test('dhclient gets a stable IPv6 address, and the link says that DHCPv6 is to be asked', async () => {
  const script = join(dir, 'script')
  writeFileSync(script, `#!/bin/sh\necho "$reason $new_ip6_address" >>'${dir}/reasons'\n`)
  chmodSync(script, 0o755)
  const options = ['-6', '-sf', script, '-lf', join(dir, 'lf'), '-pf', join(dir, 'pid'), '-cf', '/dev/null']
  await new Promise((done) => setTimeout(done, 2_500)) // until the card's own address has passed duplicate detection
  network.run(CLIENT, ['dhclient', '-d', ...options, 'eth0'])
  const bound = (): string | undefined => {
    try {
      return /^BOUND6 (.*)$/m.exec(readFileSync(join(dir, 'reasons'), 'utf8'))?.[1]
    } catch {
      return undefined
    }
  }
  await expect.poll(bound, { timeout: 30_000 }).toMatch(/^fd00:96::?[0-9a-f:]+$/)
  expect(lines.map(({ request, reply }) => `${request} ${reply}`)).toEqual(
    expect.arrayContaining(['solicit advertise', 'request reply']),
  )
  const routes = (): string => execFileSync('ip', ['-netns', CLIENT, '-6', 'route', 'show', 'dev', 'eth0']).toString()
  await expect.poll(routes, { timeout: 20_000 }).toContain('fd00:96::/64') // from the router advertisement
}, 80_000)
