import { startDhcpServer } from '@bloomery/dhcp/server.ts'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { openLeases } from './leases.ts'

/** DHCP with leases on disk, to be killed at any instant. usage: FILE PORT RELAY_PORT, all on loopback */
const [path = '', port = '', relayPort = ''] = process.argv.slice(2)
const subnet = {
  network: ipv4FromText('127.0.0.0'),
  prefix: 8,
  serverAddress: ipv4FromText('127.0.0.1'),
  first: ipv4FromText('127.16.0.0'),
  last: ipv4FromText('127.47.255.255'),
  dns: [],
  leaseSeconds: 3_600,
}
await startDhcpServer({
  host: '127.0.0.1',
  port: Number(port),
  relayPort: Number(relayPort),
  subnets: [subnet],
  leases: await openLeases(path, [subnet]),
  answer: () => ({ serve: true, because: 'power cut' }),
  reservedFor: () => undefined,
  now: Date.now,
  onDecision: () => {},
  onError: (error) => process.stderr.write(`${error.message}\n`),
})
