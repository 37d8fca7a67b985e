import { readFile, readdir } from 'node:fs/promises'

/** What a person's Ctrl-C does: the first asks for a clean stop, the second ends at once. */
export interface Interrupt {
  readonly asked: boolean
  /** Resolves when it was asked for. */
  wait(): Promise<void>
}

/** npm hands on what the terminal or `timeout` sends to us as well. */
const SAME_PRESS_MS = 500

/** The rack's reaper is a child too, but it waits for us to end and is deaf to signals. */
export function listen(): Interrupt {
  const asked = Promise.withResolvers<void>()
  let first: number | undefined
  const hear = (signal: NodeJS.Signals): void => {
    if (first !== undefined) {
      if (performance.now() - first > SAME_PRESS_MS) process.exit(130)
      return
    }
    first = performance.now()
    process.stdout.write(`\n${signal}: stopping; once more to stop at once\n`)
    asked.resolve()
    void endChildren()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, hear)
  return {
    get asked() {
      return first !== undefined
    },
    wait: () => asked.promise,
  }
}

/** Whatever this process waits for then fails, which is how a demo that is under way stops. Their own children too: builders wait for those. */
async function endChildren(parent: number = process.pid): Promise<void> {
  for (const thread of await readdir(`/proc/${parent}/task`).catch(() => [])) {
    const children = await readFile(`/proc/${parent}/task/${thread}/children`, 'utf8').catch(() => '')
    for (const pid of children.trim().split(' ').filter(Boolean).map(Number)) {
      await endChildren(pid)
      end(pid)
    }
  }
}

/** Ctrl-C reaches children by itself too: it may have ended already. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
