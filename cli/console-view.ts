import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type Client } from '../contract/api/client.ts'
import type { ConsoleChunk } from '../contract/console.ts'
import { printable } from './output.ts'

const WAIT_SECONDS = 20
const AGAIN_MS = 1000
const CLEAR = '\u001b[2J\u001b[H'

export interface Terminal {
  isTTY: boolean
  write(text: string): void
}

/** Shows a console until `signal` is aborted; lost, it is come back to. Rejects with what the API refuses. */
export async function show(client: Client, ident: string, terminal: Terminal, signal: AbortSignal): Promise<void> {
  let after: string | undefined
  let said = ''
  const say = (text: string): void => {
    if (text === said) return
    said = text
    if (text !== '') terminal.write(`\r\n[${printable(text)}]\r\n`)
  }
  while (!signal.aborted) {
    try {
      const page = await client.nodes.consoleStream(ident, { after, wait: WAIT_SECONDS })
      if (signal.aborted) return
      after = page.last
      for (const chunk of page.chunks) {
        draw(chunk, terminal)
        say(saying(chunk))
      }
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) throw error
      say(error instanceof ApiError ? error.message : 'the API can’t be reached; trying again')
      after = undefined // the whole screen, when it is back
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** The machine's own bytes: what they do to the terminal is what a console is for. */
function draw({ text, screen }: ConsoleChunk, terminal: Terminal): void {
  if (screen)
    terminal.write(
      `${terminal.isTTY ? CLEAR : ''}${screen.map(printable).join('\r\n')}${screen.length > 0 ? '\r\n' : ''}`,
    )
  if (text !== null) terminal.write(text)
}

function saying({ state, note }: ConsoleChunk): string {
  if (state === 'active') return ''
  if (state === 'suspended') return 'the BMC takes no characters now'
  return note === null ? `console: ${state}` : `console: ${note}`
}
