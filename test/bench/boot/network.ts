import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ipv4FromText, ipv4ToText } from '@bloomery/wire/address.ts'

export const SERVER = '10.77.0.1'
export const CLIENT = '10.77.0.2'

/** A server's and a client's namespace, joined by one cable. */
export interface BenchNetwork {
  /** Starts a server and waits until its UDP or TCP port is bound. */
  serve(
    argv: string[],
    ready: { port: number; protocol: 'udp' | 'tcp' },
    env?: Record<string, string>,
  ): Promise<Serving>
  /** Runs a client to its end, or to the deadline. */
  client(argv: string[], deadlineMs: number): Promise<{ code: number | null; output: string; milliseconds: number }>
  /** From now on the server sends at most so much, as a network card of that rate would. */
  limit(gigabits: number): void
  /** The client's side answers at so many addresses more. */
  addClientAddresses(first: string, count: number): void
  stop(): void
}

export interface Serving {
  /** Seconds of processor time since it started, of its threads and of its ended children. */
  cpuSeconds(): number
  /** What it printed, the last of it. */
  output(): string
  stop(): Promise<void>
}

export function benchNetwork(): BenchNetwork {
  const [server, client] = [`blm-bench-${process.pid}-s`, `blm-bench-${process.pid}-c`]
  const ip = (...argv: string[]): void => void execFileSync('ip', argv)
  for (const netns of [server, client]) {
    ip('netns', 'add', netns)
    ip('-netns', netns, 'link', 'set', 'lo', 'up')
  }
  ip('-netns', server, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', client)
  for (const [netns, address] of [
    [server, SERVER],
    [client, CLIENT],
  ] as const) {
    ip('-netns', netns, 'address', 'add', `${address}/16`, 'dev', 'eth0')
    ip('-netns', netns, 'link', 'set', 'eth0', 'up')
    ip('-netns', netns, 'route', 'add', '255.255.255.255', 'dev', 'eth0')
  }
  return {
    async serve(argv, ready, env = {}) {
      const child = spawn('ip', ['netns', 'exec', server, ...argv], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
      })
      let said = ''
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-10_000)))
      child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)))
      for (let tries = 0; !isBound(child, ready); tries += 1) {
        if (tries > 200 || child.exitCode !== null) {
          child.kill('SIGKILL')
          throw new Error(`${argv.join(' ')} did not open port ${ready.port}: ${said}`)
        }
        await sleep(50)
      }
      return { cpuSeconds: () => cpuSeconds(child.pid ?? 0), output: () => output, stop: () => ended(child) }
    },
    async client(argv, deadlineMs) {
      const started = performance.now()
      const child = spawn('ip', ['netns', 'exec', client, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-100_000)))
      const late = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
      const [code] = (await once(child, 'close')) as [number | null]
      clearTimeout(late)
      return { code, output, milliseconds: performance.now() - started }
    },
    limit(gigabits) {
      const tbf = ['root', 'tbf', 'rate', `${gigabits}gbit`, 'burst', '1mb', 'limit', '4mb']
      execFileSync('ip', ['netns', 'exec', server, 'tc', 'qdisc', 'replace', 'dev', 'eth0', ...tbf])
    },
    addClientAddresses(first, count) {
      const from = ipv4FromText(first)
      const lines = Array.from({ length: count }, (_, index) => `address add ${ipv4ToText(from + index)}/32 dev eth0`)
      execFileSync('ip', ['-netns', client, '-batch', '-'], { input: lines.join('\n') })
    },
    stop() {
      for (const netns of [server, client]) {
        const pids = execFileSync('ip', ['netns', 'pids', netns]).toString().split('\n').filter(Boolean)
        for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
        ip('netns', 'del', netns)
      }
    },
  }
}

/** As the server's own namespace sees it: /proc/PID/net is of the process's. */
function isBound(child: ChildProcess, { port, protocol }: { port: number; protocol: string }): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const state = protocol === 'tcp' ? '0A' : '07' // LISTEN, and UDP's only state
  try {
    return [protocol, `${protocol}6`].some((table) =>
      readFileSync(`/proc/${child.pid}/net/${table}`, 'utf8')
        .split('\n')
        .some((line) => new RegExp(`^ *\\d+: [0-9A-F]+:${hex} \\S+ ${state} `).test(line)),
    )
  } catch {
    return false
  }
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) // u, s, cu, cstime: proc(5)
  return ticks / 100
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exit
  clearTimeout(late)
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
