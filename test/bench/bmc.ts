import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { readPower } from '@bloomery/ipmi/chassis.ts'
import { connect, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { type IpmiSocket, openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { simUser, startIpmiSim } from '@bloomery/ipmi/testing/ipmi-sim.ts'
import { bench as benchRedfish } from './redfish.ts'

const run = promisify(execFile)
const SECONDS = 4
const KEPT = 16

/** "Is it on?", asked of ipmi_sim on loopback: a process per question, a session per question, and kept sessions; then the same over Redfish. */
export async function bench(): Promise<void> {
  const sim = await startIpmiSim({ power: 'own process' })
  const socket = openIpmiSocket()
  const open = (): Promise<IpmiSession> => connectTo(socket, sim.port)
  const kept: IpmiSession[] = []
  try {
    print('ipmitool -C 3, one process per query, one at a time', await rate(1, () => ipmitool(sim.port)))
    print('own client, fresh session per query, one at a time', await rate(1, () => freshQuery(open)))
    while (kept.length < KEPT) kept.push(await open())
    print('own client, 1 kept session', await rate(1, () => poll(kept[0])))
    print(`own client, ${KEPT} kept sessions`, await rate(KEPT, (worker) => poll(kept[worker])))
  } finally {
    await Promise.all(kept.map((session) => session.close()))
    await socket.close()
    await sim.stop()
  }
  await benchRedfish()
}

function connectTo(socket: IpmiSocket, port: number): Promise<IpmiSession> {
  const where = {
    socket,
    host: '127.0.0.1',
    port,
    cipherSuite: 3,
    privilege: 'administrator',
    timeoutMs: 5000,
  } as const
  return connect({ ...where, ...simUser })
}

async function ipmitool(port: number): Promise<void> {
  const login = ['-I', 'lanplus', '-C', '3', '-H', '127.0.0.1', '-p', `${port}`, '-U', simUser.username, '-E']
  const env = { IPMI_PASSWORD: simUser.password, PATH: '/usr/bin:/bin' }
  await run('ipmitool', [...login, 'chassis', 'power', 'status'], { env, timeout: 10_000 })
}

async function freshQuery(open: () => Promise<IpmiSession>): Promise<void> {
  const session = await open()
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

/** `workers` loops at once for some seconds. CPU time is this process's, so a child's own isn't in it. */
async function rate(workers: number, query: (worker: number) => Promise<void>): Promise<Rate> {
  const times: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  const loop = async (worker: number): Promise<void> => {
    for (let now = performance.now(); now - start < SECONDS * 1000;) {
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
  return { perSecond: times.length / seconds, medianMs: median, cpuUs: (user + system) / times.length }
}

function print(what: string, { perSecond, medianMs, cpuUs }: Rate): void {
  const figures = [`${perSecond.toFixed(0)}/s`, `median ${medianMs.toFixed(2)} ms`, `${cpuUs.toFixed(0)} µs CPU here`]
  console.log(`${what.padEnd(54)} ${figures.join(', ')}`)
}
