import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export type RunOptions = { cwd?: string; env?: Record<string, string>; timeoutMs?: number }

/** Runs a build tool to its end and returns what it printed. The error names the program and the last of what it complained. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const timeout = options.timeoutMs ?? 300_000
  try {
    const { stdout } = await execute(program, args, {
      cwd: options.cwd,
      env: options.env && { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...options.env },
      timeout,
      maxBuffer: 64 << 20,
    })
    return stdout
  } catch (cause) {
    throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed: ${reason(cause, timeout)}`, { cause })
  }
}

function reason(cause: unknown, timeout: number): string {
  const { code, killed, stderr } = cause as { code?: string | number; killed?: boolean; stderr?: string }
  if (code === 'ENOENT') return 'the program is not installed'
  if (killed) return `it did not end within ${timeout / 1000} s`
  return `exit ${code}: ${(stderr ?? '').trim().split('\n').slice(-6).join(' | ')}`
}
