import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const STOP_MS = 10_000

/** The program ends with the pipe on the shell's input, so also when this process is killed. Its output closes when it ends. */
const SHELL = '"$@" 2>&1 </dev/null & child=$!; exec >/dev/null 2>&1; cat; kill "$child"; wait "$child"'

export interface Child {
  stop(): Promise<void>
}

/** Starts a program and waits until it says that it is ready. */
export async function startChild(command: string[], ready: RegExp, deadlineMs = 120_000): Promise<Child> {
  const shell = spawn('sh', ['-c', SHELL, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(shell, 'exit')
  const said: string[] = []
  const stop = async () => {
    shell.stdin.end()
    const late = setTimeout(() => shell.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(late)
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (why: string) => reject(new Error(`${command[0]} ${why}; it said:\n${said.slice(-20).join('\n')}`))
  const late = setTimeout(() => fail(`was not ready within ${deadlineMs} ms`), deadlineMs)
  createInterface({ input: shell.stdout })
    .on('line', (line) => {
      said.push(line)
      if (said.length > 200) said.shift()
      if (ready.test(line)) resolve()
    })
    .on('close', () => fail('ended'))
  try {
    await promise
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(late)
  }
  return { stop }
}
