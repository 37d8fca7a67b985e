import { createInterface } from 'node:readline'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { printable } from '../../cli/output.ts'

/** Lines with the time since the start, and whose they are. */
export interface Screen {
  say(line: string): void
  /** A screen whose lines bear this name. */
  of(name: string): Screen
}

export function openScreen(write: (line: string) => void, milliseconds: () => number): Screen {
  const screen = (prefix: string): Screen => ({
    say: (line) => write(`${(milliseconds() / 1000).toFixed(1).padStart(6)} s  ${prefix}${printable(line)}`),
    of: (name) => screen(`${name} │ `),
  })
  return screen('')
}

/** Shows a command line, runs it as a shell does, and shows what it prints, up to a line of `enough`. Rejects unless it succeeds in time. */
export async function type(screen: Screen, line: string, deadlineSeconds: number, enough?: RegExp): Promise<void> {
  screen.say(`$ ${line}`)
  const child = spawn('sh', ['-c', `exec ${line}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: deadlineSeconds * 1000,
  })
  let last = ''
  let hushed = false
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (text) => {
      hushed ||= enough?.test(text) ?? false
      if (!hushed) screen.say(`  ${text}`)
      last = text
    })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal !== null) throw new Error(`ended by ${signal}, or not done within ${deadlineSeconds} s: ${line}`)
  if (code !== 0) throw new Error(`exit ${code}: ${line}: ${last}`)
}
