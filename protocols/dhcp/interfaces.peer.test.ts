import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDhclient } from './peer-dhclient.ts'
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
  await network.until('word of the server', () => listening)
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

test('on two interfaces at once, each client gets an address of its own network, and nobody hears the other network', async () => {
  const [first, second] = [startDhclient(network, ONE, files), startDhclient(network, TWO, files)]
  expect(await second.bound()).toMatch(/^10\.91\.30\.100 10\.91\.30\.1 peer-1$/)
  expect(await first.bound()).toMatch(/^10\.91\.20\.100 10\.91\.20\.1 peer-1$/)
  const offered = (): number => {
    const offers = decisions.filter(({ reply }) => reply === 'offer').map(({ mac, subnet }) => `${mac} ${subnet}`)
    return new Set(offers).size
  }
  await expect.poll(offered).toBe(2)
  expect(decisions.filter(({ error }) => error !== undefined)).toEqual([])
})

test('an interface that is not there is named by the error', () => {
  const subnet = { network: '10.91.9.0', serverAddress: '10.91.9.1', device: 'gone0' }
  const program = new URL('peer-server.ts', import.meta.url).pathname
  const argv = ['netns', 'exec', SERVER, process.execPath, program, JSON.stringify({ subnets: [subnet] })]
  const { status, stderr } = spawnSync('ip', argv, { encoding: 'utf8', timeout: 60_000 })
  expect([status, stderr]).toEqual([1, expect.stringContaining('bind to the interface gone0 failed: ENODEV')])
})
