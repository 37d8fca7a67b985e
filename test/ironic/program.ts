import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

const START_MS = 240_000
const STOP_MS = 20_000
const LOOK_MS = 100
const TOLD = 4000

export interface Program {
  pid: number
  stop(): Promise<void>
}

/** A server that is not ours, until `isUp` says so; with its children it is one process group, and ends as one. */
export async function startProgram(
  [command, ...args]: [string, ...string[]],
  log: string,
  isUp: () => Promise<boolean>,
): Promise<Program> {
  const file = openSync(log, 'a')
  const child = spawn(command, args, { stdio: ['ignore', file, file], detached: true })
  closeSync(file)
  // A run that is cut takes it along: it has a process group of its own, which hears no Ctrl-C.
  const cut = (): void => killGroup(child)
  process.once('exit', cut)
  child.once('exit', () => process.off('exit', cut))
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => {}) // whoever waits below hears of it
  const stop = (): Promise<void> => end(child)
  try {
    await Promise.race([failed, up(child, command, isUp)])
  } catch (error) {
    await stop()
    throw new Error(`${(error as Error).message}; its log ends:\n${readFileSync(log, 'utf8').slice(-TOLD)}`, {
      cause: error,
    })
  }
  return { pid: child.pid!, stop }
}

async function up(child: ChildProcess, command: string, isUp: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!(await isUp().catch(() => false))) {
    const end = child.exitCode ?? child.signalCode
    if (end !== null) throw new Error(`${command} ended with ${end} before it was up`)
    if (performance.now() > deadline) throw new Error(`${command} is not up within ${START_MS / 1000} s`)
    await pause(LOOK_MS)
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL')
}

async function end(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  process.kill(pid, 'SIGTERM')
  const timer = setTimeout(() => killGroup(child), STOP_MS)
  await ended
  clearTimeout(timer)
}
