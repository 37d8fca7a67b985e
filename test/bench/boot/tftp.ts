import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, SERVER, type BenchNetwork } from './network.ts'
import type { Peers } from './peers.ts'
import { tftpServers } from './tftp-servers.ts'

const MIB = 32
const ROUNDS = 3
const DEADLINE_MS = 60_000
const MANY = 50
const CASES = [
  { clients: 1, windowsize: 1 },
  { clients: 1, windowsize: 16 },
  { clients: 1, windowsize: 64 },
  { clients: MANY, windowsize: 1 },
  { clients: MANY, windowsize: 16 },
  { clients: MANY, windowsize: 64 },
] as const

export interface TftpResult {
  clients: number
  windowsize: number
  /** Bytes per microsecond, by server; absent where it knows no windows. */
  megabytesPerSecond: Record<string, number>
}

/** atftp as the client of all: 1428-byte blocks. Each server is warmed by one transfer in lock-step and one by the window. */
export async function benchTftp(network: BenchNetwork, dir: string, peers: Peers): Promise<TftpResult[]> {
  const root = join(dir, 'tftp')
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, 'file'), Buffer.alloc(MIB * 1_048_576, 'bloomery'))
  writeFileSync(join(dir, 'big'), 'x')
  const servers = tftpServers(dir, root, peers)
  const times = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, argv] of Object.entries(servers)) {
      const server = await network.serve(argv, { port: 69, protocol: 'udp' })
      try {
        await fetchAll(network, { clients: 1, windowsize: 1 })
        await fetchAll(network, { clients: 1, windowsize: 16 })
        for (const each of CASES) {
          if (name === 'tftpd-hpa' && each.windowsize > 1) continue
          const key = `${name} ${each.clients} ${each.windowsize}`
          times.set(key, [...(times.get(key) ?? []), await fetchAll(network, each)])
        }
      } finally {
        await server.stop()
      }
    }
  return CASES.map(({ clients, windowsize }) => ({
    clients,
    windowsize,
    megabytesPerSecond: Object.fromEntries(
      Object.keys(servers).flatMap((name) => {
        const rates = times.get(`${name} ${clients} ${windowsize}`)
        return rates === undefined ? [] : [[name, median(rates)]]
      }),
    ),
  }))
}

/** One shell starts the clients, so that starting them is the same work for every server. Rate is 0 where any failed. */
async function fetchAll(
  network: BenchNetwork,
  { clients, windowsize }: { clients: number; windowsize: number },
): Promise<number> {
  const options = `--option 'blksize 1428' --option 'windowsize ${windowsize}'`
  const get = `atftp ${options} --get -r file -l /dev/null ${SERVER} 69`
  const script = `for each in $(seq ${clients}); do ${get} & pids="$pids $!"; done
    for pid in $pids; do wait $pid || exit 1; done`
  const { code, milliseconds } = await network.client(['sh', '-c', script], DEADLINE_MS)
  return code === 0 ? (clients * MIB * 1.048576) / (milliseconds / 1_000) : 0
}
