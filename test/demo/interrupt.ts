import { readFile, readdir } from 'node:fs/promises'

/** What a person's Ctrl-C does: the first asks for a clean stop, the second ends at once. */
export interface Interrupt {
  readonly asked: boolean
  /** Resolves when it was asked for. */
  wait(): Promise<void>
}

/** The rack's reaper is a child too, but it waits for us to end and is deaf to signals. */
export function listen(): Interrupt {
  const asked = Promise.withResolvers<void>()
  let times = 0
  const hear = (signal: NodeJS.Signals): void => {
    times += 1
    if (times > 1) process.exit(130)
    process.stdout.write(`\n${signal}: stopping; once more to stop at once\n`)
    asked.resolve()
    void endChildren()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, hear)
  return {
    get asked() {
      return times > 0
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
