import type { ChildProcess } from 'node:child_process'
import { openSync, readFileSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const STOP_MS = 20_000

/** One of our own programs, in a namespace of the lab: started, killed and started again as a test likes. Output goes to a file. */
export class Program {
  readonly name: string
  readonly logPath: string
  readonly #spawn: (output: number) => ChildProcess
  readonly #ready: RegExp
  #child: ChildProcess | undefined

  constructor(name: string, logPath: string, ready: RegExp, spawn: (output: number) => ChildProcess) {
    this.name = name
    this.logPath = logPath
    this.#ready = ready
    this.#spawn = spawn
  }

  /** Resolves when it says that it is ready. */
  async start(withinMs = 120_000): Promise<void> {
    const output = openSync(this.logPath, 'a', 0o600)
    const from = statSync(this.logPath).size
    const child = this.#spawn(output)
    this.#child = child
    const until = Date.now() + withinMs
    while (!this.#ready.test(this.log().slice(from))) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${this.name} ended: ${this.tail()}`)
      if (Date.now() > until) throw new Error(`${this.name} was not ready within ${withinMs / 1000} s: ${this.tail()}`)
      await sleep(50)
    }
  }

  /** SIGKILL: nothing is said, nothing is saved. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  log(): string {
    return readFileSync(this.logPath, 'utf8')
  }

  tail(lines = 30): string {
    return this.log().split('\n').slice(-lines).join('\n')
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(late)
  }
}
