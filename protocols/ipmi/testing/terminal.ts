import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that believes it has a terminal: util-linux' script(1) gives it one. */
export interface Terminal {
  /** All that it has written. */
  readonly screen: string
  type(text: string): void
  /** Until the screen shows it; throws with the screen after a minute, or when it has ended. */
  shows(pattern: RegExp): Promise<void>
  /** Its exit code. */
  ended(): Promise<number | null>
  kill(): void
}

const PATIENCE = 60_000

export function openTerminal(command: string, env: Record<string, string>): Terminal {
  const child: ChildProcess = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  const exited = once(child, 'close')
  let isOver = false
  child.stdin?.on('error', () => {}) // that it has ended is told by who waits for it
  const looks = new Set<() => void>()
  child.stdout?.on('data', (bytes: Buffer) => {
    screen += bytes.toString('latin1')
    for (const look of looks) look()
  })
  void exited.then(() => {
    isOver = true
    for (const look of looks) look()
  })
  return {
    get screen() {
      return screen
    },
    type: (text) => void child.stdin?.write(text),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(screen)) resolve()
          else if (isOver) reject(new Error(`${command} has ended, and did not show ${pattern}, but: ${screen}`))
          else return
          clearTimeout(timer)
          looks.delete(look)
        }
        const timer = setTimeout(() => {
          looks.delete(look)
          reject(new Error(`${command} does not show ${pattern} within ${PATIENCE / 1000} s, but: ${screen}`))
        }, PATIENCE)
        looks.add(look)
        look()
      }),
    async ended() {
      const [code] = await exited
      return code
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
