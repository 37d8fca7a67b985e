import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { Client } from '../contract/api/client.ts'
import { type Recorded, recorded } from '../contract/console.ts'
import { EscapeReader } from './console-escape.ts'
import { ConsoleInput } from './console-input.ts'
import { show } from './console-view.ts'
import { type Context, define } from './context.ts'
import { OutcomeError } from './usage.ts'

const LOG_SECONDS = 60
const LOG_POLL_MS = 500
const LEAVE_MS = 3_000
const HELP = `~.  leave    ~B  send a break    ~~  a tilde    ~?  this; each behind a line break`

interface Options {
  readOnly?: boolean
  log?: boolean
  timestamps?: boolean
}

export function consoleCommand(): Command {
  const command = new Command('console')
    .argument('<node>', 'name or UUID')
    .description("a machine's serial console: ~. leaves it, ~B sends a break")
    .option('--read-only', 'only look')
    .option('--log', 'print the recording that the site has, instead')
    .option('--timestamps', 'with --log: when each piece was printed')
  const examples = ['bloomery console n1', 'bloomery console n1 --read-only', 'bloomery console n1 --log > n1.log']
  return define(command, examples, async (context, [ident], options: Options) => {
    if (options.log) return printLog(context, ident!, options.timestamps ?? false)
    await attend(context.client, ident!, options.readOnly ?? false)
  })
}

async function attend(client: Client, ident: string, readOnly: boolean): Promise<void> {
  const leaving = new AbortController()
  const terminal = { isTTY: process.stdout.isTTY, write: (text: string) => void process.stdout.write(text) }
  const { stdin } = process
  const types = !readOnly && stdin.isTTY
  const escape = new EscapeReader()
  const input = new ConsoleInput(client, ident, (why) => terminal.write(`\r\n[not typed: ${why}]\r\n`))
  const onData = (bytes: Buffer): void => {
    for (const { text, command } of escape.read(bytes.toString('utf8'))) {
      const isBreak = command === 'break'
      if (types && (text !== '' || isBreak)) input.type(text, isBreak)
      if (command === 'help') terminal.write(`\r\n${HELP}\r\n`)
      if (command === 'leave') leaving.abort()
    }
  }
  const ended = new Promise<void>((resolve) => leaving.signal.addEventListener('abort', () => resolve()))
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', onData)
    terminal.write(`[console of ${ident}; ~. leaves]\r\n`)
  }
  try {
    await Promise.race([show(client, ident, terminal, leaving.signal), ended])
  } finally {
    leaving.abort()
    if (stdin.isTTY) {
      stdin.off('data', onData).setRawMode(false)
      stdin.pause()
      terminal.write('\r\n')
    }
  }
  await Promise.race([input.sent(), sleep(LEAVE_MS)])
  // A request that still waits for the console would keep the program.
  process.exit(0)
}

async function printLog({ client, print, json }: Context, ident: string, timestamps: boolean): Promise<void> {
  const asked = await client.nodes.askConsoleLog(ident, {})
  const until = Date.now() + LOG_SECONDS * 1000
  for (;;) {
    const now = await client.nodes.consoleLog(ident)
    if (now.request !== asked.request)
      throw new OutcomeError(`somebody else asked for the recording of ${ident}: ask again`)
    if (now.log !== null) {
      const lines = now.log.split('\n').flatMap((line) => (line === '' ? [] : [recorded.parse(JSON.parse(line))]))
      return json ? print(lines, '') : void process.stdout.write(textOf(lines, timestamps))
    }
    if (Date.now() > until)
      throw new OutcomeError(`the recording of ${ident} did not come within ${LOG_SECONDS} s; is its site connected?`)
    await sleep(LOG_POLL_MS)
  }
}

function textOf(lines: Recorded[], timestamps: boolean): string {
  if (!timestamps) return lines.map(([at, kind, text]) => (kind === 'o' ? text : `\r\n[${at} ${text}]\r\n`)).join('')
  return lines.map(([at, kind, text]) => `${at} ${kind === 'o' ? JSON.stringify(text) : `[${text}]`}\n`).join('')
}
