import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, SERVER, type BenchNetwork } from './network.ts'
import type { Peers } from './peers.ts'
import { tftpServers } from './tftp-servers.ts'

const ROUNDS = 3
const DEADLINE_MS = 60_000
const MANY = 50
/** What takes a twentieth of a second says little. Block numbers don't begin again: not every client goes on then. */
const MIB = { small: 32, large: 80 } as const
const CASES = [
  { clients: 1, windowsize: 1, file: 'small' },
  { clients: 1, windowsize: 16, file: 'large' },
  { clients: 1, windowsize: 64, file: 'large' },
  { clients: MANY, windowsize: 1, file: 'small' },
  { clients: MANY, windowsize: 16, file: 'small' },
  { clients: MANY, windowsize: 64, file: 'small' },
] as const
/** in.tftpd leaves no trace of what its children used. */
const COUNTED = ['bloomery', 'atftpd']

export interface TftpResult {
  clients: number
  windowsize: number
  /** Bytes per microsecond, by server; absent where it knows no windows. */
  megabytesPerSecond: Record<string, number>
  /** Of the server; absent where it can't be told. */
  cpuSecondsPerGib: Record<string, number>
}

/** atftp as the client of all: 1428-byte blocks. Each server is warmed by one transfer in lock-step and one by the window. */
export async function benchTftp(network: BenchNetwork, dir: string, peers: Peers): Promise<TftpResult[]> {
  const root = join(dir, 'tftp')
  mkdirSync(root, { recursive: true })
  for (const [name, mib] of Object.entries(MIB))
    writeFileSync(join(root, name), Buffer.alloc(mib * 1_048_576, 'bloomery'))
  writeFileSync(join(dir, 'big'), 'x')
  const servers = tftpServers(dir, root, peers)
  const measured = new Map<string, { rate: number; cpu: number }[]>()
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, argv] of Object.entries(servers)) {
      const server = await network.serve(argv, { port: 69, protocol: 'udp' })
      try {
        await fetchAll(network, { clients: 1, windowsize: 1, file: 'small' })
        await fetchAll(network, { clients: 1, windowsize: 16, file: 'small' })
        for (const each of CASES) {
          if (name === 'tftpd-hpa' && each.windowsize > 1) continue
          const key = `${name} ${each.clients} ${each.windowsize}`
          const before = server.cpuSeconds()
          const rate = await fetchAll(network, each)
          const gib = (each.clients * MIB[each.file]) / 1_024
          const cpu = (server.cpuSeconds() - before) / gib
          measured.set(key, [...(measured.get(key) ?? []), { rate, cpu }])
        }
      } finally {
        await server.stop()
      }
    }
  return CASES.map(({ clients, windowsize }) => {
    const of = (kind: 'rate' | 'cpu', names: string[]): Record<string, number> =>
      Object.fromEntries(
        names.flatMap((name) => {
          const found = measured.get(`${name} ${clients} ${windowsize}`)
          return found === undefined ? [] : [[name, median(found.map((each) => each[kind]))]]
        }),
      )
    const rates = of('rate', Object.keys(servers))
    return { clients, windowsize, megabytesPerSecond: rates, cpuSecondsPerGib: of('cpu', COUNTED) }
  })
}

/** One shell starts the clients, so that starting them is the same work for every server. Rate is 0 where any failed. */
async function fetchAll(
  network: BenchNetwork,
  { clients, windowsize, file }: { clients: number; windowsize: number; file: keyof typeof MIB },
): Promise<number> {
  const options = `--option 'blksize 1428' --option 'windowsize ${windowsize}'`
  const get = `atftp ${options} --get -r ${file} -l /dev/null ${SERVER} 69`
  const script = `for each in $(seq ${clients}); do ${get} & pids="$pids $!"; done
    for pid in $pids; do wait $pid || exit 1; done`
  const { code, milliseconds } = await network.client(['sh', '-c', script], DEADLINE_MS)
  return code === 0 ? (clients * MIB[file] * 1.048576) / (milliseconds / 1_000) : 0
}
