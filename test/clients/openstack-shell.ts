import { python, type Teller } from './teller.ts'

export interface Said {
  code: number
  stdout: string
  stderr: string
}

/** OpenStack's own command line in one process, because starting it takes longer than what it does. */
export class OpenStackShell {
  readonly #python: Teller

  /** With these settings in its environment, in a network namespace if not in this one. */
  constructor(settings: Record<string, string>, netns?: string) {
    this.#python = python('openstack-shell.py', settings, netns)
  }

  /** The baremetal commands that the client has. */
  commands(): Promise<string[]> {
    return this.#python.ask('commands')
  }

  run(args: readonly string[]): Promise<Said> {
    return this.#python.ask(args)
  }

  [Symbol.dispose](): void {
    this.#python[Symbol.dispose]()
  }
}
