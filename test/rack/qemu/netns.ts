import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const NAMESPACES = '/run/netns'

/** Runs `ip` commands, one a line, in a network namespace; all or an error that names the line. */
export async function ip(netns: string, commands: string[]): Promise<void> {
  const running = promisify(execFile)('ip', ['-netns', netns, '-batch', '-'])
  running.child.stdin?.end(`${commands.join('\n')}\n`)
  await running
}

/** A namespace with its loopback up, without IPv6: a rack's wires carry only what a test puts on them. */
export async function addNetns(netns: string): Promise<void> {
  await promisify(execFile)('ip', ['netns', 'add', netns])
  const quiet = 'for scope in all default; do echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6; done'
  await promisify(execFile)('ip', ['netns', 'exec', netns, 'sh', '-c', quiet])
  await ip(netns, ['link set lo up'])
}

/** `ip netns exec` becomes the program, so the child's pid and signals are the program's own. */
export function spawnIn(netns: string, argv: string[], options: SpawnOptions = {}): ChildProcess {
  return spawn('ip', ['netns', 'exec', netns, ...argv], options)
}

/** Until it says by its first words that it is ready; rejects when it ends before, or takes too long. */
export async function ready(child: ChildProcess, what: string, deadlineMs = 60_000): Promise<void> {
  if (!child.stdout) throw new Error(`${what} has no standard output`)
  const signal = AbortSignal.timeout(deadlineMs)
  const early = once(child, 'exit', { signal }).then(([code, by]: unknown[]) => {
    throw new Error(`${what} ended with ${String(code ?? by)} before it was ready`)
  })
  try {
    await Promise.race([once(child.stdout, 'data', { signal }), early])
  } catch (error) {
    throw signal.aborted ? new Error(`${what} was not ready in ${deadlineMs / 1000} s`, { cause: error }) : error
  } finally {
    early.catch(() => undefined)
  }
}

/** Names of the namespaces that exist. */
export async function listNetns(): Promise<string[]> {
  try {
    return await readdir(NAMESPACES)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
