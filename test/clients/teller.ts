import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const KEPT_WORDS = 2_000

/** A program with a client's own libraries in it, unmodified, that goes on running: it takes a line of JSON and answers with one. */
export class Teller {
  readonly #child
  readonly #lines
  readonly #name
  #said = ''

  constructor(command: string, args: readonly string[], environment: Record<string, string>) {
    this.#name = [command, ...args].join(' ')
    // No settings of whoever runs the tests, nor what their clients have cached.
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nonexistent', ...environment }
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    this.#child.stderr.on('data', (bytes: Buffer) => (this.#said = (this.#said + bytes.toString()).slice(-KEPT_WORDS)))
    this.#child.on('error', ({ message }) => (this.#said += message))
    this.#child.stdin.on('error', () => {}) // who asks is told that it has ended
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async ask<T>(wanted: unknown): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(wanted)}\n`)
    const { value, done } = await this.#lines.next()
    if (done)
      throw new Error(
        `${this.#name} ended; are the packages of test/setup/packages.txt installed? ${this.#said.trim()}`,
      )
    return JSON.parse(value as string) as T
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}

/** A script beside this file; `netns`: the network namespace in which it runs, if not in this one. */
export function python(script: string, environment: Record<string, string>, netns?: string): Teller {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const argv = ['-B', '-W', 'ignore', path]
  return netns === undefined
    ? new Teller('/usr/bin/python3', argv, environment)
    : new Teller('ip', ['netns', 'exec', netns, '/usr/bin/python3', ...argv], environment)
}
