import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { listNetns } from './netns.ts'

const REAP_DEADLINE_MS = 90_000

/** Takes the rack's namespaces and processes down when called, or when this process ends in any way. */
export function startReaper(prefix: string): () => Promise<void> {
  const child = spawn('sh', [join(import.meta.dirname, 'reap.sh'), prefix], {
    detached: true, // a session of its own, so that Ctrl-C doesn't reach it
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  return async () => {
    child.ref()
    child.stdin?.end()
    const late = setTimeout(() => child.kill('SIGKILL'), REAP_DEADLINE_MS)
    const [code] = await exited
    clearTimeout(late)
    if (code !== 0) throw new Error(`rack ${prefix} was not taken down in ${REAP_DEADLINE_MS} ms; see: ip netns list`)
  }
}

/** Which racks and labs, and networks of peer tests (`blm-WHAT-PID`), of those that namespaces speak of, have lost their owner. */
export function orphanedRacks(namespaces: string[], isAlive: (pid: number) => boolean): string[] {
  const racks = new Set<string>()
  for (const name of namespaces) {
    const [, rack, pid, peer] = /^(bl(\d+)x\d+|blm-[a-z\d]+-(\d+))-[a-z\d][a-z\d-]*$/.exec(name) ?? []
    if (rack && !isAlive(Number(pid ?? peer))) racks.add(rack)
  }
  return [...racks]
}

/** Takes down what a process left that is gone, and whose reaper, where it had one, was killed too. */
export async function cleanStale(): Promise<string[]> {
  const orphans = orphanedRacks(await listNetns(), (pid) => existsSync(`/proc/${pid}`))
  await Promise.all(orphans.map((rack) => startReaper(rack)()))
  return orphans
}
