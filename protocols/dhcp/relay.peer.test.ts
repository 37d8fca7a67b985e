import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDhclient } from './peer-dhclient.ts'
import { cable, peerNetwork, type PeerNetwork } from './peer-network.ts'

const [SERVER, RELAY, ONE, TWO] = ['s', 'r', '1', '2'].map((name) => `blm-rly-${process.pid}-${name}`) as [
  string,
  string,
  string,
  string,
]
let network: PeerNetwork
let files: string
const decisions: Record<string, string>[] = []

/** Two networks behind Debian's relay, which marks each request with the interface that it came from (option 82). */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'relay-'))
  network = peerNetwork([SERVER, RELAY, ONE, TWO])
  cable(network, { netns: SERVER, name: 'eth0' }, { netns: RELAY, name: 'up0' })
  cable(network, { netns: RELAY, name: 'lan1' }, { netns: ONE, name: 'eth0' })
  cable(network, { netns: RELAY, name: 'lan2' }, { netns: TWO, name: 'eth0' })
  network.ip(SERVER, 'address add 10.95.0.1/24 dev eth0', 'route add default via 10.95.0.2')
  network.ip(RELAY, 'address add 10.95.0.2/24 dev up0')
  network.ip(RELAY, 'address add 10.95.1.1/24 dev lan1', 'address add 10.95.2.1/24 dev lan2')
  const program = new URL('peer-server.ts', import.meta.url).pathname
  const subnet = (third: number): Record<string, string> => ({
    network: `10.95.${third}.0`,
    first: `10.95.${third}.100`,
    last: `10.95.${third}.199`,
    serverAddress: '10.95.0.1',
  })
  const circuits = { [Buffer.from('lan2').toString('hex')]: '10.95.2.7' }
  const config = JSON.stringify({ subnets: [subnet(1), subnet(2)], circuits })
  let listening = false
  network.run(SERVER, [process.execPath, program, config], (line) => {
    if ('listening' in line) listening = true
    else decisions.push(line)
  })
  await network.until('word of the server', () => listening)
  const interfaces = ['-id', 'lan1', '-id', 'lan2', '-iu', 'up0']
  network.run(RELAY, ['dhcrelay', '-4', '-d', '-a', '--no-pid', ...interfaces, '10.95.0.1'])
  await network.listens(RELAY, 'udp', 67)
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

test('behind a relay each client gets an address of its own network, and a reserved circuit gets its address', async () => {
  const [first, second] = [startDhclient(network, ONE, files), startDhclient(network, TWO, files)]
  expect(await first.bound()).toMatch(/^10\.95\.1\.100 /)
  expect(await second.bound()).toMatch(/^10\.95\.2\.7 /)
  await expect.poll(() => new Set(decisions.map(({ relay }) => relay))).toEqual(new Set(['10.95.1.1', '10.95.2.1']))
  expect(decisions.filter(({ error }) => error !== undefined)).toEqual([])
})
