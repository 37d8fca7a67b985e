import { write, writeSync } from 'node:fs'

/** Lines gather until they are worth a write, but not longer than anybody who looks on would notice. */
const GATHER = 65_536
const GATHER_MS = 100
/** Of what can't be written now; beyond, lines are lost, and the next that isn't says how many. */
const MOST = 16 * 1_048_576
const AGAIN_MS = 20

export interface Lines {
  write(line: string): void
  /** What is gathered is written when this returns, as far as it can be. */
  flushSync(): void
}

/**
 * Writes lines to a descriptor, in order, one write at a time. pino's own destination measures all that it gathered anew for each line:
 * with a line for each message, that was a tenth of what DHCP costs.
 */
export function gatheredLines(fd: number, most = MOST): Lines {
  let text = ''
  let lost = 0
  /** Being written, or to be written first. */
  let bytes = Buffer.alloc(0)
  let writing = false
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (writing) return
    if (bytes.length === 0) {
      if (text === '') return
      bytes = Buffer.from(text)
      text = ''
    }
    writing = true
    write(fd, bytes, (error, written) => {
      writing = false
      if (error?.code === 'EAGAIN') return later(AGAIN_MS) // a pipe whose reader is slow
      bytes = error ? Buffer.alloc(0) : bytes.subarray(written) // a full disk, or no reader: there is nobody to tell
      if (bytes.length > 0 || text.length >= GATHER) flush()
      else if (text !== '') later(GATHER_MS)
    })
  }
  const later = (milliseconds: number): void => {
    timer ??= setTimeout(flush, milliseconds).unref()
  }
  return {
    write(line) {
      if (text.length + line.length > most) {
        lost += 1
        return
      }
      if (lost > 0) {
        text += `{"level":40,"msg":"${lost} lines before this one were lost: the log could not be written"}\n`
        lost = 0
      }
      text += line
      if (text.length >= GATHER) flush()
      else later(GATHER_MS)
    },
    flushSync() {
      if (!writing && bytes.length > 0) text = bytes.toString() + text // what is under way is the kernel's
      bytes = Buffer.alloc(0)
      try {
        for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(fd, rest))
      } catch {
        // The same as above, and the process ends.
      }
      text = ''
    },
  }
}
