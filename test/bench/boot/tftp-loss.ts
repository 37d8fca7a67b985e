import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, SERVER, type BenchNetwork } from './network.ts'
import type { Peers } from './peers.ts'
import { tftpServers } from './tftp-servers.ts'

const MIB = 8
const BLKSIZE = 1_428
const ROUNDS = 3
const DEADLINE_MS = 60_000
const RELAY_PORT = 1_070
const NEEDED = Math.floor((MIB * 1_048_576) / BLKSIZE) + 1

const CASES = [
  { what: '+1 ms, 1 % lost', lost: '10', times: '1', windowsize: 16, servers: ['bloomery', 'atftpd'] },
  { what: '+1 ms, 1 % lost', lost: '10', times: '1', windowsize: 64, servers: ['bloomery', 'atftpd'] },
  { what: '+1 ms, each ACK twice', lost: '0', times: '2', windowsize: 1, servers: ['bloomery'] },
  { what: '+1 ms, each ACK twice', lost: '0', times: '2', windowsize: 16, servers: ['bloomery'] },
] as const

export interface TftpLossResult {
  what: string
  windowsize: number
  megabytesPerSecond: Record<string, number>
  /** DATA that the server sent, to what the file needs. */
  sentToNeeded: Record<string, number>
}

/** 8 MiB over a way that is long and loses, which is a program, as not every kernel has netem. One client for all servers. */
export async function benchTftpLoss(network: BenchNetwork, dir: string, peers: Peers): Promise<TftpLossResult[]> {
  const root = join(dir, 'tftp')
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, 'file'), Buffer.alloc(MIB * 1_048_576, 'bloomery'))
  writeFileSync(join(dir, 'big'), 'x')
  const servers = tftpServers(dir, root, peers)
  const results: TftpLossResult[] = []
  for (const each of CASES) {
    const result: TftpLossResult = {
      what: each.what,
      windowsize: each.windowsize,
      megabytesPerSecond: {},
      sentToNeeded: {},
    }
    for (const name of each.servers) {
      const runs = []
      for (let round = 0; round < ROUNDS; round += 1) runs.push(await run(network, servers[name] ?? [], each))
      result.megabytesPerSecond[name] = median(runs.map(({ rate }) => rate))
      result.sentToNeeded[name] = median(runs.map(({ data }) => data / NEEDED))
    }
    results.push(result)
  }
  return results
}

async function run(
  network: BenchNetwork,
  argv: string[],
  { lost, times, windowsize }: (typeof CASES)[number],
): Promise<{ rate: number; data: number }> {
  const program = (name: string): string[] => [process.execPath, join(import.meta.dirname, name)]
  const server = await network.serve(argv, { port: 69, protocol: 'udp' })
  const relay = await network.serve([...program('lossy-relay.ts'), `${RELAY_PORT}`, SERVER, lost, times], {
    port: RELAY_PORT,
    protocol: 'udp',
  })
  try {
    const client = [...program('fetch.ts'), SERVER, `${RELAY_PORT}`, `${windowsize}`, `${BLKSIZE}`]
    const { code, output } = await network.client(client, DEADLINE_MS)
    await relay.stop()
    const { data } = JSON.parse(relay.output()) as { data: number }
    if (code !== 0) return { rate: 0, data }
    const { bytes, milliseconds } = JSON.parse(output) as { bytes: number; milliseconds: number }
    return { rate: bytes / 1_000 / milliseconds, data }
  } finally {
    await relay.stop()
    await server.stop()
  }
}
