import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readPower } from '@bloomery/ipmi/chassis.ts'
import { connect, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { type IpmiSocket, openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { paperUser } from '@bloomery/ipmi/testing/paper-server.ts'
import { bench as benchRedfish } from './redfish.ts'

const run = promisify(execFile)
const SECONDS = 4
const WARM_SECONDS = 1
const AT_ONCE = 16
const SUITE = 17
const server = join(import.meta.dirname, '../../protocols/ipmi/testing/paper-server.ts')

/** "Is it on?", asked of 16 BMCs on loopback, which are a process of their own, 16 at once and by cipher suite 17: by ipmitool and
 * freeipmi, and by our client with a session per question and with kept sessions; then ours over Redfish. */
export async function bench(): Promise<void> {
  const child = spawn(process.execPath, [server, `${AT_ONCE}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  const ports = line.toString().trim().split(' ').map(Number)
  const socket = openIpmiSocket()
  const kept: IpmiSession[] = []
  const dir = await mkdtemp(join(tmpdir(), 'bench-bmc-'))
  try {
    await warm((worker) => freshQuery(socket, ports[worker]!))
    const tool = await rate(AT_ONCE, (worker) => ipmitool(ports[worker]!))
    print(`ipmitool, a process per query, ${AT_ONCE} at once`, tool)
    const config = join(dir, 'freeipmi.conf')
    await writeFile(config, `username ${paperUser.name}\npassword ${paperUser.password}\n`, { mode: 0o600 })
    const power = await rate(1, () => ipmipower(config, dir, ports), AT_ONCE)
    print(`ipmipower, a process per ${AT_ONCE} BMCs`, power)
    const fresh = await rate(AT_ONCE, (worker) => freshQuery(socket, ports[worker]!))
    print(`own client, a session per query, ${AT_ONCE} at once`, fresh)
    for (const port of ports) kept.push(await open(socket, port))
    await warm((worker) => poll(kept[worker]))
    const polls = await rate(AT_ONCE, (worker) => poll(kept[worker]))
    print(`own client, ${AT_ONCE} kept sessions`, polls)
    const times = (ours: Rate, theirs: Rate): string => `${(ours.perSecond / theirs.perSecond).toFixed(1)}×`
    const against = (ours: Rate): string => `${times(ours, tool)} ipmitool, ${times(ours, power)} ipmipower`
    console.log(`power polls over kept sessions: ${against(polls)} (bar: 40× ipmitool)`)
    console.log(`a session per query, as they have: ${against(fresh)}`)
  } finally {
    await Promise.all(kept.map((session) => session.close()))
    await socket.close()
    await rm(dir, { recursive: true, force: true })
    child.stdin.end()
    await once(child, 'exit')
  }
  await benchRedfish()
}

function open(socket: IpmiSocket, port: number): Promise<IpmiSession> {
  const where = { socket, host: '127.0.0.1', port, cipherSuite: SUITE, timeoutMs: 10_000 } as const
  const { name: username, password, privilege } = paperUser
  return connect({ ...where, username, password, privilege })
}

async function ipmitool(port: number): Promise<void> {
  const login = ['-I', 'lanplus', '-C', `${SUITE}`, '-H', '127.0.0.1', '-p', `${port}`, '-U', paperUser.name, '-E']
  const env = { IPMI_PASSWORD: paperUser.password, PATH: '/usr/bin:/bin' }
  await run('ipmitool', [...login, 'chassis', 'power', 'status'], { env, timeout: 10_000 })
}

/** It asks all of them at once, each by a session of its own. */
async function ipmipower(config: string, home: string, ports: readonly number[]): Promise<void> {
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
  const words = [`--config-file=${config}`, '-D', 'LAN_2_0', '-I', `${SUITE}`, '-l', 'ADMIN', '-h', hosts, '--stat']
  const env = { HOME: home, PATH: '/usr/sbin:/usr/bin:/bin' }
  const { stdout } = await run('ipmipower', words, { env, timeout: 30_000 })
  const told = stdout.match(/: (on|off)$/gm)?.length ?? 0
  if (told !== ports.length) throw new Error(`ipmipower told ${told} of ${ports.length}: ${stdout}`)
}

async function freshQuery(socket: IpmiSocket, port: number): Promise<void> {
  const session = await open(socket, port)
  await readPower(session)
  await session.close()
}

async function poll(session: IpmiSession | undefined): Promise<void> {
  if (session) await readPower(session)
}

interface Rate {
  perSecond: number
  medianMs: number
  cpuUs: number
}

async function warm(query: (worker: number) => Promise<void>): Promise<void> {
  await rate(AT_ONCE, query, 1, WARM_SECONDS)
}

/** `workers` loops at once for some seconds; each query is worth `each`. CPU time is this process's, so a child's own isn't in it. */
async function rate(
  workers: number,
  query: (worker: number) => Promise<void>,
  each = 1,
  forSeconds = SECONDS,
): Promise<Rate> {
  const times: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  const loop = async (worker: number): Promise<void> => {
    for (let now = performance.now(); now - start < forSeconds * 1000;) {
      await query(worker)
      const end = performance.now()
      times.push(end - now)
      now = end
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => loop(worker)))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const median = times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN
  const done = times.length * each
  return { perSecond: done / seconds, medianMs: median, cpuUs: (user + system) / done }
}

function print(what: string, { perSecond, medianMs, cpuUs }: Rate): void {
  const figures = [`${perSecond.toFixed(0)}/s`, `median ${medianMs.toFixed(2)} ms`, `${cpuUs.toFixed(0)} µs CPU here`]
  console.log(`${what.padEnd(54)} ${figures.join(', ')}`)
}
