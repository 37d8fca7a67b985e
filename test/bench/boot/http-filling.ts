import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, SERVER, type BenchNetwork } from './network.ts'

const MIB = 512
const CLIENTS = 8
const ROUNDS = 3
const STORE_PORT = 8090
const DEADLINE_MS = 240_000

export interface FillingResult {
  /** MB/s of boot files. */
  quiet: number
  filling: number
  /** MB/s that came into the cache meanwhile. */
  pulled: number
}

/** What boot files go out at while the same appliance fills its cache from a line of 1 Gb/s, and while it doesn't. */
export async function benchHttpFilling(network: BenchNetwork, dir: string): Promise<FillingResult> {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'big'), Buffer.alloc(MIB * 1_048_576, 'bloomery'))
  const program = (name: string, ...args: string[]): string[] => [
    process.execPath,
    join(import.meta.dirname, name),
    ...args,
  ]
  const store = await network.serve(program('store.ts', String(STORE_PORT)), { port: STORE_PORT, protocol: 'tcp' })
  const rates = { quiet: [] as number[], filling: [] as number[], pulled: [] as number[] }
  try {
    for (let round = 0; round < ROUNDS; round += 1)
      for (const how of ['quiet', 'filling'] as const) {
        const more = how === 'filling' ? [`http://127.0.0.1:${STORE_PORT}`] : []
        const server = await network.serve(program('server.ts', dir, SERVER, ...more), { port: 8080, protocol: 'tcp' })
        try {
          const get = `curl --fail --silent -o /dev/null http://${SERVER}:8080/boot/token/kernel`
          const script = `for each in $(seq ${CLIENTS}); do ${get} & pids="$pids $!"; done
            for pid in $pids; do wait $pid || exit 1; done`
          await network.client(['sh', '-c', script], DEADLINE_MS)
          const before = pulledBy(server.output())
          const { code, output, milliseconds } = await network.client(['sh', '-c', script], DEADLINE_MS)
          if (code !== 0) throw new Error(`curl ended with ${code}: ${output}`)
          rates[how].push((CLIENTS * MIB * 1.048576) / (milliseconds / 1000))
          if (how === 'filling') rates.pulled.push((pulledBy(server.output()) - before) / 1e3 / milliseconds)
        } finally {
          await server.stop()
        }
      }
  } finally {
    await store.stop()
  }
  return { quiet: median(rates.quiet), filling: median(rates.filling), pulled: median(rates.pulled) }
}

function pulledBy(output: string): number {
  return Number(/.*pulled (\d+)/s.exec(output)?.[1] ?? 0)
}
