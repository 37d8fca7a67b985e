import { readFileSync, rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { serve, type Served } from '../scenarios/bloomery-process.ts'
import { deploysPerMinute } from './api/deploys.ts'
import { enrolled } from './api/enrolled.ts'
import { type Ask, Caller, load, quantile } from './api/load.ts'

const DIR = resolve(import.meta.dirname, `../../.cache/bench/api-${process.pid}`)
const MEASURE_MS = 3000
const DEPLOY_MS = 15_000
const SIZES = [10, 10_000]
const CONNECTIONS = [1, 16]
const PAGES = [1000, 100_000]
const ROUNDS = 60

/** The API of the standalone edition, writes durable, over loopback; caller and cloud share the processors.
 * `npm run bench -- api [requests|pages|deploys]…` */
export async function bench(): Promise<void> {
  const chosen = process.argv.slice(3)
  const wants = (part: string): boolean => chosen.length === 0 || chosen.includes(part)
  say(`load before: ${loadavg()[0]?.toFixed(1)}`)
  try {
    if (wants('requests')) for (const size of SIZES) await benchRequests(size)
    if (wants('pages')) await benchPages()
    if (wants('deploys')) await benchDeploys()
  } finally {
    rmSync(DIR, { recursive: true, force: true })
  }
  say(`load after: ${loadavg()[0]?.toFixed(1)}`)
}

async function benchRequests(size: number): Promise<void> {
  await withNodes(size, async (cloud, uuids) => {
    let turn = 0
    const path = (): string => `/v1/nodes/${uuids[(turn += 7919) % uuids.length]}`
    const asks: Array<[string, () => Ask]> = [
      ['GET one', () => ({ method: 'GET', path: path() })],
      ['list of 100', () => ({ method: 'GET', path: '/v1/nodes?limit=100' })],
      ['PATCH', () => ({ method: 'PATCH', path: path(), body: [{ op: 'add', path: '/extra/turn', value: turn }] })],
      ['POST', () => ({ method: 'POST', path: '/v1/nodes', body: { driver: 'fake-hardware' } })],
    ]
    for (const connections of CONNECTIONS)
      for (const [name, next] of asks) {
        await load(cloud.endpoint, connections, MEASURE_MS / 6, next)
        const before = cpuMilliseconds(cloud.pid)
        const { perSecond, p50, p99, count } = await load(cloud.endpoint, connections, MEASURE_MS, next)
        const cpu = (cpuMilliseconds(cloud.pid) - before) / count
        say(
          `${String(size).padStart(6)} nodes, ${String(connections).padStart(2)} connection(s), ${name.padEnd(11)} ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms  CPU ${cpu.toFixed(2)} ms each`,
        )
      }
    say(`${String(size).padStart(6)} nodes: the cloud's memory is ${mebibytes(cloud.pid)} MiB`)
  })
}

/** The same page in the middle of few and of many, in turn, so that both meet the same weather. */
async function benchPages(): Promise<void> {
  const [few, many] = PAGES as [number, number]
  await withNodes(few, (small, ofFew) =>
    withNodes(many, async (large, ofMany) => {
      const took: [number[], number[]] = [[], []]
      const callers = [new Caller(small.endpoint, 1), new Caller(large.endpoint, 1)] as const
      for (let round = -5; round < ROUNDS; round += 1)
        for (const [at, uuids] of [ofFew, ofMany].entries()) {
          const begin = performance.now()
          await callers[at]!.call({ method: 'GET', path: `/v1/nodes?limit=100&marker=${uuids[uuids.length >> 1]}` })
          if (round >= 0) took[at]!.push(performance.now() - begin)
        }
      for (const caller of callers) caller.close()
      const [a, b] = took.map((each) => quantile(each, 0.5)) as [number, number]
      say(
        `a page of 100 in the middle: of ${few} ${a.toFixed(2)} ms, of ${many} ${b.toFixed(2)} ms: ${(b / a).toFixed(2)}×`,
      )
    }),
  )
}

async function benchDeploys(): Promise<void> {
  for (const atOnce of CONNECTIONS)
    await withNodes(0, async (cloud) => {
      const rate = await deploysPerMinute(cloud.endpoint, atOnce, DEPLOY_MS)
      say(`fake deploys, enroll to active, ${atOnce} at once: ${rate.toFixed(0)} a minute`)
      say(`cloud ${mebibytes(cloud.pid)} MiB, this process with the appliance ${mebibytes(process.pid)} MiB`)
    })
}

async function withNodes(count: number, act: (cloud: Served, uuids: string[]) => Promise<void>): Promise<void> {
  const dir = join(DIR, String(count))
  rmSync(dir, { recursive: true, force: true })
  const uuids = await enrolled(dir, count)
  const cloud = await serve(dir)
  try {
    await act(cloud, uuids)
  } finally {
    await cloud.kill('SIGTERM')
  }
}

/** Of all its threads so far; clock ticks are hundredths of a second (proc(5), utime and stime). */
function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function mebibytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Math.round(Number(kibibytes) / 1024)
}

function say(line: string): void {
  console.log(line)
}
