import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLIENT, SERVER, type BenchNetwork } from './network.ts'

const MACHINES = 200
const SECONDS = 10
/** Of the kernel, and of the ramdisk. */
const FILE_BYTES = 8 * 1_048_576
const DEADLINE_MS = 120_000

export interface RackResult {
  reached: number
  failed: string[]
  /** Different ones that were given; those given to two machines. */
  addresses: number
  twice: string[]
  seconds: number
  answers: number
  sentAgain: number
  /** Milliseconds, as the machines see it. */
  p50: number
  p99: number
  longest: number
}

/** A rack that powers on: 200 machines within 10 s. */
export async function benchRack(
  network: BenchNetwork,
  dir: string,
  { seconds = SECONDS, fileBytes = FILE_BYTES } = {},
): Promise<RackResult & { machines: number }> {
  const own = join(dir, 'rack')
  rmSync(own, { recursive: true, force: true })
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'big'), randomBytes(fileBytes))
  const program = (name: string): string[] => [process.execPath, join(import.meta.dirname, name)]
  network.addClientAddresses('10.77.10.0', MACHINES)
  const server = await network.serve([...program('server.ts'), own, SERVER], { port: 67, protocol: 'udp' })
  try {
    const client = [...program('rack-client.ts'), SERVER, CLIENT, `${MACHINES}`, `${seconds}`]
    const { output } = await network.client(client, DEADLINE_MS)
    return { machines: MACHINES, ...(JSON.parse(output) as RackResult) }
  } finally {
    await server.stop()
  }
}
