import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, SERVER, type BenchNetwork } from './network.ts'

const MIB = 512
const CLIENTS = 8
const ROUNDS = 3
const STORE_PORT = 8090
const DEADLINE_MS = 240_000

export interface FillingResult {
  cable: string
  /** MB/s of boot files. */
  quiet: number
  filling: number
  /** MB/s that came into the cache meanwhile. */
  pulled: number
  /** The appliance's own processor seconds for each GiB of boot files, as `quiet` and `filling`. */
  cpu: [number, number]
}

/** As this machine has it, and as a network card has it; the last one stays. */
export async function benchHttpFilling(network: BenchNetwork, dir: string): Promise<FillingResult[]> {
  const unlimited = await measure(network, dir, 'without a limit')
  network.limit(10)
  return [unlimited, await measure(network, dir, 'of 10 Gb/s')]
}

/** What boot files go out at while the same appliance fills its cache from a line of 1 Gb/s, and while it doesn't. */
async function measure(network: BenchNetwork, dir: string, cable: string): Promise<FillingResult> {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'big'), Buffer.alloc(MIB * 1_048_576, 'bloomery'))
  const program = (name: string, ...args: string[]): string[] => [
    process.execPath,
    join(import.meta.dirname, name),
    ...args,
  ]
  const store = await network.serve(program('store.ts', String(STORE_PORT)), { port: STORE_PORT, protocol: 'tcp' })
  const rates = { quiet: [] as number[], filling: [] as number[], pulled: [] as number[] }
  const cpu = { quiet: [] as number[], filling: [] as number[] }
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
          const cpuBefore = server.cpuSeconds()
          const { code, output, milliseconds } = await network.client(['sh', '-c', script], DEADLINE_MS)
          if (code !== 0) throw new Error(`curl ended with ${code}: ${output}`)
          cpu[how].push((server.cpuSeconds() - cpuBefore) / ((CLIENTS * MIB) / 1024))
          rates[how].push((CLIENTS * MIB * 1.048576) / (milliseconds / 1000))
          if (how === 'filling') rates.pulled.push((pulledBy(server.output()) - before) / 1e3 / milliseconds)
        } finally {
          await server.stop()
        }
      }
  } finally {
    await store.stop()
  }
  return {
    cable,
    quiet: median(rates.quiet),
    filling: median(rates.filling),
    pulled: median(rates.pulled),
    cpu: [median(cpu.quiet), median(cpu.filling)],
  }
}

function pulledBy(output: string): number {
  return Number(/.*pulled (\d+)/s.exec(output)?.[1] ?? 0)
}
