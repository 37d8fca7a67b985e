import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One step of a call: an attribute or method of what the step before returned, with its arguments. */
export type Step = readonly [string, ...unknown[]]

export interface Sushy {
  /** Walks from sushy's root; rejects with sushy's own error. */
  call(...steps: Step[]): Promise<unknown>
  stop(): Promise<void>
}

/** Ironic's Redfish library in a process of its own. */
export async function startSushy(
  url: string,
  user: { name: string; password: string },
  auth: 'session' | 'basic' | 'auto',
): Promise<Sushy> {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'walk-sushy.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin.write(`${JSON.stringify({ url, auth, username: user.name, password: user.password })}\n`)
  return {
    async call(...steps) {
      child.stdin.write(`${JSON.stringify(steps)}\n`)
      const { value: line, done } = await lines.next()
      if (done) throw new Error('sushy has ended')
      const answer = JSON.parse(line) as { value?: unknown; error?: string }
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer.value
    },
    async stop() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
