import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A script beside this file with OpenStack's own libraries in it, unmodified: it takes a line of JSON and answers with one. */
export class Python {
  readonly #child
  readonly #lines
  readonly #name

  constructor(script: string, environment: Record<string, string>) {
    this.#name = script
    const path = fileURLToPath(new URL(script, import.meta.url))
    // No settings of whoever runs the tests, nor what their clients have cached.
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: '/nonexistent',
      PYTHONWARNINGS: 'ignore',
      PYTHONDONTWRITEBYTECODE: '1',
      ...environment,
    }
    this.#child = spawn('/usr/bin/python3', [path], { stdio: ['pipe', 'pipe', 'inherit'], env })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async ask<T>(wanted: unknown): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(wanted)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.#name} ended; are the packages of test/setup/packages.txt installed?`)
    return JSON.parse(value as string) as T
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}
