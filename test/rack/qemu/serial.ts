import { open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100
const TAIL_LINES = 40

export type SerialWait = {
  timeoutMs: number
  from?: number
  /** How the machine has ended, if it has: what it said last counts, and nothing more comes. */
  ended?: () => string | undefined
}

/** Size of a serial log now: `from` for a wait that must not see what was said before. */
export async function serialPosition(path: string): Promise<number> {
  return (await stat(path)).size
}

/** Waits until the log (from byte `from` on) matches, and gives the matched text. */
export async function waitForSerial(path: string, pattern: RegExp, { timeoutMs, from = 0, ended }: SerialWait) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const late = performance.now() > deadline ? `in ${timeoutMs} ms` : undefined
    const end = ended?.()
    const text = await readFrom(path, from)
    const match = pattern.exec(text)
    if (match) return match[0]
    const over = end === undefined ? late : `before ${end}`
    if (over !== undefined)
      throw new Error(`${path} did not say ${String(pattern)} ${over}; its last lines:\n${lastLines(text)}`)
    await sleep(POLL_MS)
  }
}

/** What a serial log ends with, for people to read. */
export async function serialTail(path: string): Promise<string> {
  return lastLines(await readFrom(path, 0))
}

const lastLines = (text: string): string => printable(text).split('\n').slice(-TAIL_LINES).join('\n')

/** Firmware paints with escape sequences; in an error message they would paint over it. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, '').replaceAll(/[^\n\x20-\x7e]/g, '')
}

async function readFrom(path: string, from: number): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.max(0, size - from))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}
