import { openSync } from 'node:fs'
import { pino, type Logger } from 'pino'
import { gatheredLines } from './log-lines.ts'

/** JSON lines, to a file or to standard output. What is gathered goes out when the process ends by itself. */
export function openLog(level: string, dest: string | number = 1): Logger {
  const lines = gatheredLines(typeof dest === 'number' ? dest : openSync(dest, 'a'))
  process.on('exit', () => lines.flushSync())
  return pino({ level, base: undefined, timestamp: isoTime() }, lines)
}

/** Thousands of lines a second share their milliseconds. */
function isoTime(): () => string {
  let at = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) {
      at = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}
