import { ipv4FromText } from '@bloomery/wire/address.ts'
import { LeaseTable } from './lease-table.ts'
import { startDhcpServer } from './server.ts'

/** The server as a program of its own, for peers in another network namespace. It prints each decision as a line of JSON. */
export interface PeerServerConfig {
  subnets: {
    network: string
    first?: string
    last?: string
    serverAddress: string
    leaseSeconds?: number
    device?: string
  }[]
  /** With a file to name it stands beside another server. */
  bootFile?: string
  /** Addresses by a relay's circuit, in hex. */
  circuits?: Record<string, string>
  probe?: boolean
}
const config = JSON.parse(process.argv[2] ?? '{}') as PeerServerConfig
const subnets = config.subnets.map(
  ({ network, first = '0.0.0.1', last = '0.0.0.0', serverAddress, leaseSeconds, device }) => ({
    network: ipv4FromText(network),
    prefix: 24,
    serverAddress: ipv4FromText(serverAddress),
    first: ipv4FromText(first),
    last: ipv4FromText(last),
    dns: [],
    device,
    leaseSeconds: leaseSeconds ?? 60,
    proxy: config.bootFile !== undefined,
  }),
)
const print = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)

const server = await startDhcpServer({
  host: '0.0.0.0',
  subnets,
  leases: new LeaseTable(subnets),
  answer({ relay }) {
    const reserved = config.circuits?.[relay.circuit ?? '']
    return {
      serve: true,
      because: 'peer',
      hostname: 'peer-1',
      address: reserved === undefined ? undefined : ipv4FromText(reserved),
      takesOver: reserved !== undefined,
      boot:
        config.bootFile === undefined ? undefined : { server: subnets[0]?.serverAddress ?? 0, file: config.bootFile },
    }
  },
  reservedFor: () => undefined,
  now: Date.now,
  onDecision: print,
  onError: (error) => print({ error: error.message }),
})
print({ listening: server.port })
process.once('SIGTERM', () => void server.stop())
