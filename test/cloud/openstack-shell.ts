import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Said {
  code: number
  stdout: string
  stderr: string
}

/** OpenStack's own client in one process, because starting it takes longer than what it does. */
export class OpenStackShell {
  readonly #endpoint: string
  readonly #child
  readonly #lines

  constructor(endpoint: string) {
    const script = fileURLToPath(new URL('./openstack-shell.py', import.meta.url))
    this.#endpoint = endpoint
    this.#child = spawn('/usr/bin/python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** The baremetal commands that the client has. */
  commands(): Promise<string[]> {
    return this.#ask('commands')
  }

  run(args: readonly string[]): Promise<Said> {
    return this.#ask(['--os-auth-type', 'none', '--os-endpoint', this.#endpoint, ...args])
  }

  async #ask<T>(wanted: unknown): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(wanted)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the openstack client ended; is python3-openstackclient installed?')
    return JSON.parse(value as string) as T
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}
