import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const bloomery = join(import.meta.dirname, '../../bin/bloomery')
const START_MS = 120_000

export interface Served {
  endpoint: string
  broker: string
  authorities: string
  pid: number
  /** Its log so far, JSON lines. */
  log(): string
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** The real command, on loopback; ports are chosen by the kernel unless given. */
export async function serve(dataDir: string, ...flags: string[]): Promise<Served> {
  const ports = ['--port', '0', '--broker-port', '0'].filter(
    (_, index) => !flags.includes(index < 2 ? '--port' : '--broker-port'),
  )
  const child = spawn(bloomery, ['serve', '--json', '--data-dir', dataDir, ...ports, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const where = await firstLine(child, () => log)
  const cut = (): void => void child.kill('SIGKILL')
  process.once('exit', cut) // it outlives nobody
  child.once('exit', () => process.off('exit', cut))
  return { ...where, pid: child.pid!, log: () => log, kill: (signal) => kill(child, signal) }
}

async function firstLine(
  child: ChildProcess,
  log: () => string,
): Promise<{ endpoint: string; broker: string; authorities: string }> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL')
      reject(new Error(`bloomery serve ${why}:\n${log()}`))
    }
    const timer = setTimeout(() => fail(`did not start within ${START_MS} ms`), START_MS)
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`ended with ${code}`)
    })
    createInterface({ input: child.stdout! }).once('line', (line) => {
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve(JSON.parse(line) as { endpoint: string; broker: string; authorities: string })
    })
  })
}

function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.kill(signal)
  })
}

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

const ENOUGH_MS = 180_000

/** One run of the CLI with nothing of this machine's own configuration; `onOutput` hears what it writes meanwhile. */
export function run(
  args: string[],
  environment: Record<string, string> = {},
  binary = bloomery,
  onOutput?: (text: string) => void,
): Promise<Ran> {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...environment }
  return new Promise((resolve) => {
    const child = execFile(
      binary,
      args,
      { env, timeout: ENOUGH_MS, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0
        const cut = error?.killed === true ? `\ncut off after ${ENOUGH_MS / 1000} s` : ''
        resolve({ code, stdout, stderr: stderr + cut })
      },
    )
    child.stdout?.on('data', (text: string) => onOutput?.(text))
    child.stdin?.end()
  })
}

/** The same on a pseudo-terminal, by `script` of util-linux: its output is what a person's screen is sent. */
export async function runOnTerminal(args: string[], onOutput?: (text: string) => void): Promise<Ran> {
  const quoted = [bloomery, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  return run(['-qefc', `stty cols 120; ${quoted}`, '/dev/null'], { TERM: 'xterm' }, 'script', onOutput)
}
