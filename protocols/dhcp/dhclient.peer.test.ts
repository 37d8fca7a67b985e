import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDhclient } from './peer-dhclient.ts'
import { cable, peerNetwork, type PeerNetwork } from './peer-network.ts'

const PREFIX = `blm-dhcp-${process.pid}`
const [SERVER, CLIENT, WATCHER] = [`${PREFIX}-s`, `${PREFIX}-c`, `${PREFIX}-w`]
let network: PeerNetwork
let files: string
const decisions: Record<string, string>[] = []
const watched: { options: Record<string, unknown> }[] = []

/** One bridge in the server's namespace; client and watcher hang on it. The route is the one that broadcasts leave by. */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'dhclient-'))
  network = peerNetwork([SERVER, CLIENT, WATCHER])
  network.ip(SERVER, 'link add br0 type bridge')
  for (const [name, netns] of [
    ['c0', CLIENT],
    ['w0', WATCHER],
  ] as const) {
    cable(network, { netns: SERVER, name }, { netns, name: 'eth0' })
    network.ip(SERVER, `link set ${name} master br0`)
  }
  network.ip(SERVER, 'address add 10.93.0.1/24 dev br0', 'link set br0 up', 'route add 255.255.255.255 dev br0')
  network.ip(WATCHER, 'address add 10.93.0.2/24 dev eth0')

  let listening = 0
  const program = new URL('peer-server.ts', import.meta.url).pathname
  const range = { first: '10.93.0.100', last: '10.93.0.199' }
  const config = { subnets: [{ network: '10.93.0.0', serverAddress: '10.93.0.1', leaseSeconds: 8, ...range }] }
  network.run(SERVER, [process.execPath, program, JSON.stringify(config)], (line) => {
    if ('listening' in line) listening += 1
    else decisions.push(line)
  })
  const watch = `const d = require('dhcp').createBroadcastHandler()
    const print = (line) => process.stdout.write(JSON.stringify(line) + '\\n')
    d.on('message', print)
    d.on('error', () => {})
    d.listen(67, undefined, () => print({ listening: 67 }))`
  network.run(WATCHER, [process.execPath, '-e', watch], (line) => {
    if ('listening' in line) listening += 1
    else watched.push(line as never)
  })
  await network.until('word of server and watcher', () => listening === 2)
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

const seen = (): string[] => decisions.map(({ request, reply }) => `${request} ${reply}`)

test('dhclient gets a lease, renews it, and gives it back; the npm watcher sees the same requests', async () => {
  const does = `case "$reason" in
  BOUND|REBOOT) ip address replace "$new_ip_address/24" dev "$interface" ;;
  EXPIRE|FAIL|RELEASE|STOP) ip address flush dev "$interface" ;;
esac`
  const client = startDhclient(network, CLIENT, files, { does })
  expect(await client.bound()).toBe('10.93.0.100 10.93.0.1 peer-1')
  await expect.poll(seen).toEqual(expect.arrayContaining(['discover offer', 'request ack']))
  await network.until('renewal', () => client.told().some((line) => line.startsWith('RENEW 10.93.0.100')))
  client.release()
  await network.until('release', () => seen().includes('release none'))
  const { process: child } = client
  await network.until('end of dhclient', () => child.exitCode !== null || child.signalCode !== null)
  expect(decisions.filter(({ error }) => error !== undefined)).toEqual([])

  // A discover that was repeated comes first, and twice.
  const types = (): unknown[] => [...new Set(watched.map(({ options }) => options['53']))]
  await expect.poll(() => types().slice(0, 2)).toEqual([1, 3])
})
