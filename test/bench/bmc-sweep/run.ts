import { setTimeout as sleep } from 'node:timers/promises'
import { startSweep, type Sweep } from './sweep.ts'
import { temperOf } from './temper.ts'

const COUNT = Number(process.env['BLOOMERY_SWEEP_BMCS'] ?? 5000)
const INTERVAL = 60
const SWEEPS = 4
const FLIPS = Math.ceil(COUNT / 100)

async function measure(): Promise<void> {
  console.log(`${COUNT} BMCs, half IPMI 2.0 and half Redfish over TLS; 2 % dead, 3 % slow (5 s), 1 % lying`)
  const well = Array.from({ length: COUNT }, (_, index) => index).filter((index) => temperOf(index) === 'well')
  const before = process.memoryUsage().rss
  const sweep = await startSweep(COUNT, { sync_power_state_interval: INTERVAL })
  try {
    const start = performance.now()
    const cpu = process.cpuUsage()
    await until(() => well.every((index) => sweep.answered[index]! > 0), 600)
    const first = process.cpuUsage(cpu)
    print('first sweep, every healthy one heard', `${seconds(start)} s, ${cpuSeconds(first)} s CPU`)
    const later = process.cpuUsage()
    const counted = total(sweep)
    const began = performance.now()
    const flipped = new Map<string, number>()
    for (let round = 0; round < SWEEPS; round += 1) {
      const some = well.filter((index) => index % SWEEPS === round).toSorted(() => Math.random() - 0.5)
      const chosen = some.slice(0, FLIPS)
      await sweep.flip(chosen)
      for (const index of chosen) flipped.set(sweep.nodes[index]!, Date.now())
      await sleep(INTERVAL * 1000)
    }
    await sleep(INTERVAL * 1000)
    const polls = total(sweep) - counted
    const used = cpuSeconds(process.cpuUsage(later))
    print(
      `then, for ${seconds(began)} s`,
      `${polls} polls, ${used} s CPU, ${((used / polls) * 1e6).toFixed(0)} µs each`,
    )
    const late = lateness(sweep, flipped)
    print(
      `${flipped.size} changes behind its back`,
      `${timesTold(sweep, flipped)}; median ${late[late.length >> 1]} s, last ${late.at(-1)} s (two sweeps: ${2 * INTERVAL} s)`,
    )
    const others = sweep.reports().filter((report) => report.kind === 'power' && !flipped.has(report.node))
    print('told of others', `${others.length} changes (the liars’), ${faults(sweep)} faults`)
    print('messages over the WAN', `${sweep.messages()} for ${sweep.reports().length} reports`)
    const most = process.resourceUsage().maxRSS / 1024
    const { heapUsed, heapTotal, external, arrayBuffers, rss } = process.memoryUsage()
    const mib = [rss, heapTotal, heapUsed, external, arrayBuffers].map((each) => Math.round(each / 2 ** 20)).join(', ')
    print('memory at most', `${most.toFixed(0)} MiB (${(before / 2 ** 20).toFixed(0)} before it began)`)
    print('now rss, heap, used, external, buffers', `${mib} MiB`)
  } finally {
    await sweep.stop()
  }
}

function lateness(sweep: Sweep, flipped: Map<string, number>): number[] {
  const told = sweep.reports().flatMap((report) => {
    const at = report.kind === 'power' ? flipped.get(report.node) : undefined
    return at === undefined ? [] : [Math.round((Date.parse(report.at) - at) / 1000)]
  })
  return told.toSorted((a, b) => a - b)
}

/** Each machine was changed once. */
function timesTold(sweep: Sweep, flipped: Map<string, number>): string {
  const told = new Map([...flipped.keys()].map((node) => [node, 0]))
  for (const report of sweep.reports())
    if (report.kind === 'power' && told.has(report.node)) told.set(report.node, told.get(report.node)! + 1)
  const times = [...told.values()]
  const [never, once] = [0, 1].map((count) => times.filter((each) => each === count).length)
  return `${once} told once, ${never} never, ${times.length - once! - never!} more often`
}

function faults(sweep: Sweep): number {
  return new Set(sweep.reports().flatMap((report) => (report.kind === 'bmc' && !report.answers ? [report.node] : [])))
    .size
}

function total({ answered }: Sweep): number {
  return answered.reduce((sum, each) => sum + each, 0)
}

async function until(done: () => boolean, most: number): Promise<void> {
  for (const start = performance.now(); !done(); await sleep(100))
    if (performance.now() - start > most * 1000) throw new Error(`not done within ${most} s`)
}

function cpuSeconds({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1e4) / 100
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}

function print(what: string, figure: string): void {
  console.log(`${what.padEnd(40)} ${figure}`)
}

await measure()
