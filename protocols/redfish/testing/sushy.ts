import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One step of a call: an attribute or method of what the step before returned, with its arguments. */
export type Step = readonly [string, ...unknown[]]

export interface Sushy {
  /** Walks from sushy's root; rejects with sushy's own error. */
  call(...steps: Step[]): Promise<unknown>
  /** Names like `System.power_state`: all that sushy has, and those that came to something so far. */
  members(): Promise<string[]>
  walked(): Promise<string[]>
  /** Reads every property of every resource. */
  readEverything(): Promise<void>
  stop(): Promise<void>
}

/** Ironic's Redfish library in a process of its own. */
export async function startSushy(
  url: string,
  user: { name: string; password: string },
  auth: 'session' | 'basic' | 'auto',
): Promise<Sushy> {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'walk-sushy.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2_000)))
  child.on('error', ({ message }) => (said += message))
  child.stdin.on('error', () => {}) // who asks is told that it has ended
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin.write(`${JSON.stringify({ url, auth, username: user.name, password: user.password })}\n`)
  const run = async (program: unknown): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(program)}\n`)
    const { value: line, done } = await lines.next()
    if (done) throw new Error(`sushy has ended: ${said.trim()}`)
    const answer = JSON.parse(line) as { value?: unknown; error?: string }
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.value
  }
  return {
    call: (...steps) => run(steps),
    members: () => run('members') as Promise<string[]>,
    walked: () => run('walked') as Promise<string[]>,
    readEverything: async () => void (await run('everything')),
    async stop() {
      child.stdin.end()
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
      await once(child, 'exit')
      clearTimeout(late)
    },
  }
}
