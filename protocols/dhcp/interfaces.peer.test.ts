import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from './peer-network.ts'

const name = (who: string): string => `blm-if-${process.pid}-${who}`
const [SERVER, ONE, TWO] = [name('s'), name('1'), name('2')]
let network: PeerNetwork
let files: string
const decisions: Record<string, string>[] = []

/** Two networks without a relay between, each on an interface of the server's; no route says where broadcasts leave. */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'interfaces-'))
  network = peerNetwork([SERVER, ONE, TWO])
  cable(network, { netns: SERVER, name: 'rack.20' }, { netns: ONE, name: 'eth0' })
  cable(network, { netns: SERVER, name: 'rack.30' }, { netns: TWO, name: 'eth0' })
  network.ip(SERVER, 'address add 10.91.20.1/24 dev rack.20', 'address add 10.91.30.1/24 dev rack.30')
  const subnet = (vlan: number): Record<string, string> => ({
    network: `10.91.${vlan}.0`,
    first: `10.91.${vlan}.100`,
    last: `10.91.${vlan}.199`,
    serverAddress: `10.91.${vlan}.1`,
    device: `rack.${vlan}`,
  })
  const program = new URL('peer-server.ts', import.meta.url).pathname
  let listening = false
  const config = JSON.stringify({ subnets: [subnet(20), subnet(30)] })
  network.run(SERVER, [process.execPath, program, config], (line) => {
    if ('listening' in line) listening = true
    else decisions.push(line)
  })
  await vi.waitFor(() => expect(listening).toBe(true), { timeout: 20_000 })
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

function lease(netns: string): () => string | undefined {
  const script = join(files, netns)
  writeFileSync(script, `#!/bin/sh\necho "$reason $new_ip_address $new_dhcp_server_identifier" >>'${script}.reasons'\n`)
  chmodSync(script, 0o755)
  const options = ['-sf', script, '-lf', `${script}.leases`, '-pf', `${script}.pid`, '-cf', '/dev/null']
  network.run(netns, ['dhclient', '-4', '-d', ...options, 'eth0'])
  return () => {
    try {
      return /^BOUND (.*)$/m.exec(readFileSync(`${script}.reasons`, 'utf8'))?.[1]
    } catch {
      return undefined
    }
  }
}

test('on two interfaces at once, each client gets an address of its own network, and nobody hears the other network', async () => {
  const [first, second] = [lease(ONE), lease(TWO)]
  await expect.poll(second, { timeout: 40_000 }).toBe('10.91.30.100 10.91.30.1')
  await expect.poll(first, { timeout: 40_000 }).toBe('10.91.20.100 10.91.20.1')
  const offers = decisions.filter(({ reply }) => reply === 'offer').map(({ mac, subnet }) => `${mac} ${subnet}`)
  expect(new Set(offers).size).toBe(2)
  expect(decisions.filter(({ error }) => error !== undefined)).toEqual([])
}, 60_000)

test('an interface that is not there is named by the error', async () => {
  const subnet = { network: '10.91.9.0', serverAddress: '10.91.9.1', device: 'gone0' }
  const program = new URL('peer-server.ts', import.meta.url).pathname
  const child = network.run(SERVER, [process.execPath, program, JSON.stringify({ subnets: [subnet] })])
  let said = ''
  child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()))
  await expect.poll(() => said, { timeout: 20_000 }).toContain('bind to the interface gone0 failed: ENODEV')
})
