import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, SERVER, type BenchNetwork } from './network.ts'

const MIB = 1_024
const DEADLINE_MS = 240_000
const ROUNDS = 3
const CLIENTS = [1, 8, 40] as const

export interface HttpResult {
  clients: number
  /** By server. */
  megabytesPerSecond: Record<string, number>
  cpuSecondsPerGib: Record<string, number>
}

/** Each client fetches the same 1 GiB from the page cache, after three that warm the server. */
export async function benchHttp(network: BenchNetwork, dir: string): Promise<HttpResult[]> {
  const root = join(dir, 'http')
  mkdirSync(root, { recursive: true })
  const content = Buffer.alloc(MIB * 1_048_576, 'bloomery')
  writeFileSync(join(dir, 'big'), content)
  writeFileSync(join(root, 'big'), content)
  writeFileSync(join(root, 'nginx.conf'), nginx(root))
  const servers = {
    bloomery: {
      argv: [process.execPath, join(import.meta.dirname, 'server.ts'), dir, SERVER],
      path: '/boot/token/kernel',
    },
    nginx: { argv: ['nginx', '-c', join(root, 'nginx.conf'), '-e', 'stderr'], path: '/big' },
  }
  const rates = new Map<string, { rate: number[]; cpu: number[] }>()
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, { argv, path }] of Object.entries(servers)) {
      const server = await network.serve(argv, { port: 8080, protocol: 'tcp' })
      try {
        const warming = `http://${SERVER}:8080${path}`
        for (let warm = 0; warm < 3; warm += 1)
          await network.client(['curl', '--silent', '-r', '0-67108863', '-o', '/dev/null', warming], DEADLINE_MS)
        for (const clients of CLIENTS) {
          const before = server.cpuSeconds()
          const url = `http://${SERVER}:8080${path}`
          const get = `curl --fail --silent -o /dev/null ${url}`
          const script = `for each in $(seq ${clients}); do ${get} & pids="$pids $!"; done
            for pid in $pids; do wait $pid || exit 1; done`
          const { code, milliseconds } = await network.client(['sh', '-c', script], DEADLINE_MS)
          const gib = (clients * MIB) / 1_024
          const so = rates.get(`${name} ${clients}`) ?? { rate: [], cpu: [] }
          so.rate.push(code === 0 ? (gib * 1_073.741824) / (milliseconds / 1_000) : 0)
          so.cpu.push((server.cpuSeconds() - before) / gib)
          rates.set(`${name} ${clients}`, so)
        }
      } finally {
        await server.stop()
      }
    }
  return CLIENTS.map((clients) => {
    const of = (kind: 'rate' | 'cpu'): Record<string, number> =>
      Object.fromEntries(
        Object.keys(servers).map((name) => [name, median(rates.get(`${name} ${clients}`)?.[kind] ?? [])]),
      )
    return { clients, megabytesPerSecond: of('rate'), cpuSecondsPerGib: of('cpu') }
  })
}

function nginx(root: string): string {
  return `daemon off; master_process off; user root; pid ${root}/pid;
events { worker_connections 256; }
http { sendfile on; access_log off; error_log stderr;
  client_body_temp_path ${root}/t1; proxy_temp_path ${root}/t2; fastcgi_temp_path ${root}/t3;
  uwsgi_temp_path ${root}/t4; scgi_temp_path ${root}/t5;
  server { listen 8080; root ${root}; } }
`
}
