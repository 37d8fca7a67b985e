import { ipv4FromText } from '@bloomery/wire/address.ts'
import { LeaseTable } from './lease-table.ts'
import { startDhcpServer } from './server.ts'

/** The server as a program of its own, for peers in another network namespace. It prints each decision as a line of JSON. */
const [network = '', first = '', last = '', serverAddress = '', leaseSeconds = '', bootFile = ''] =
  process.argv.slice(2)
const subnet = {
  network: ipv4FromText(network),
  prefix: 24,
  serverAddress: ipv4FromText(serverAddress),
  first: ipv4FromText(first),
  last: ipv4FromText(last),
  dns: [],
  leaseSeconds: Number(leaseSeconds),
  proxy: bootFile !== '', // with a boot file to name, it stands beside another server
}
const boot = bootFile === '' ? undefined : { server: subnet.serverAddress, file: bootFile }
const print = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)

const server = await startDhcpServer({
  host: '0.0.0.0',
  subnets: [subnet],
  leases: new LeaseTable([subnet]),
  answer: () => ({ serve: true, because: 'peer', hostname: 'peer-1', boot }),
  reservedFor: () => undefined,
  now: Date.now,
  onDecision: print,
  onError: (error) => print({ error: error.message }),
})
print({ listening: server.port })
process.once('SIGTERM', () => void server.stop())
