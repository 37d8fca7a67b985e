import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect, type Redfish } from '@bloomery/redfish/client.ts'
import { readPower } from '@bloomery/redfish/power.ts'
import { findSystem, type System } from '@bloomery/redfish/system.ts'

const SECONDS = 4
const BMCS = 16
const main = join(import.meta.dirname, '../../protocols/redfish/testing/paper-server.ts')

/** "Is it on?" over HTTPS, asked of our own service in a process of its own. */
export async function bench(): Promise<void> {
  const child = spawn(process.execPath, [main], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  const address = line.toString().trim()
  const kept: { bmc: Redfish; system: System }[] = []
  try {
    await measure('Redfish, fresh connection and session per query', 1, async () => {
      const { bmc, system } = await open(address)
      await readPower(bmc, system)
      await bmc.close()
    })
    while (kept.length < BMCS) kept.push(await open(address))
    const poll = async (worker: number): Promise<void> => {
      const { bmc, system } = kept[worker]!
      await readPower(bmc, system)
    }
    await measure('Redfish, 1 kept connection', 1, poll)
    await measure(`Redfish, ${BMCS} kept connections`, BMCS, poll)
  } finally {
    await Promise.all(kept.map(({ bmc }) => bmc.close()))
    child.stdin.end()
    await once(child, 'exit')
  }
}

async function open(address: string): Promise<{ bmc: Redfish; system: System }> {
  const bmc = await connect({
    address,
    username: 'admin',
    password: 'paper-secret',
    tls: { verify: false },
    timeoutMs: 10_000,
  })
  return { bmc, system: await findSystem(bmc) }
}

async function measure(what: string, workers: number, query: (worker: number) => Promise<void>): Promise<void> {
  let queries = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const loop = async (worker: number): Promise<void> => {
    for (; performance.now() - start < SECONDS * 1000; queries += 1) await query(worker)
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => loop(worker)))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const each = ((user + system) / queries).toFixed(0)
  console.log(`${what.padEnd(54)} ${(queries / seconds).toFixed(0)}/s, ${each} µs CPU here`)
}
