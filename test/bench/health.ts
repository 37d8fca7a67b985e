import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openDrivers } from '../../appliance/drivers/table.ts'
import type { Bmc, DriverInfo } from '../../appliance/drivers/bmc.ts'
import type { Ask } from '../../appliance/health/look.ts'
import { fastClock } from '../rack/paper/clock.ts'

const SENSORS = 64
const LOOKS = 60
const BMCS = 5000
const INTERVAL_SECONDS = 600

/** What a look at a BMC's sensors, power draw and log costs the appliance, and so a site of 5,000 BMCs. */
export async function bench(): Promise<void> {
  const path = join(import.meta.dirname, 'health/bmcs.ts')
  const child = spawn(process.execPath, [path, String(SENSORS)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  const { ipmi, redfish } = JSON.parse(line.toString()) as { ipmi: number; redfish: string }
  const { drivers, close } = openDrivers()
  const stage = {
    clock: fastClock(1),
    delays: () => 0,
    memory: { read: () => undefined, write: () => {} },
    signal: new AbortController().signal,
  }
  const login = (kind: 'ipmi' | 'redfish', more: DriverInfo): DriverInfo => ({
    [`${kind}_username`]: 'admin',
    [`${kind}_password`]: 'secret',
    ...more,
  })
  try {
    const overIpmi = await drivers.ipmi(login('ipmi', { ipmi_address: '127.0.0.1', ipmi_port: ipmi }), stage)
    await measure(`IPMI, ${SENSORS} sensors`, overIpmi)
    const overRedfish = await drivers.redfish(login('redfish', { redfish_address: redfish }), stage)
    await measure('Redfish, Thermal and Power, two drives and the log every sixth time', overRedfish)
  } finally {
    await close()
    child.stdin.end()
    await once(child, 'exit')
  }
}

async function measure(what: string, { more }: Bmc): Promise<void> {
  const look = more?.readHealth
  if (!look) throw new Error(`${what}: the driver has no sensors`)
  let questions = 0
  const ask: Ask = (question) => {
    questions += 1
    return question()
  }
  const first = await cost(async () => (await look(null, ask)).kept)
  const atFirst = questions
  questions = 0
  let kept = first.result
  const { cpuMs } = await cost(async () => {
    for (let index = 0; index < LOOKS; index += 1) kept = (await look(kept, ask)).kept
  })
  const each = cpuMs / LOOKS
  const share = ((each / 1000) * BMCS) / INTERVAL_SECONDS
  console.log(
    `${what}: first look ${first.cpuMs.toFixed(0)} ms CPU (${atFirst} questions), then ${each.toFixed(1)} ms (${(questions / LOOKS).toFixed(0)}); ` +
      `${BMCS} BMCs every ${INTERVAL_SECONDS} s: ${(share * 100).toFixed(1)} % of a core`,
  )
}

async function cost<T>(work: () => Promise<T>): Promise<{ result: T; cpuMs: number }> {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return { result, cpuMs: (user + system) / 1000 }
}
