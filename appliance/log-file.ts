import { pino, type Logger } from 'pino'

/** Lines gather until they are worth a write, but not longer than anybody who looks on would notice. */
const GATHER_BYTES = 8_192
const GATHER_MS = 100

/** JSON lines, to a file or to standard output. What is gathered goes out when the process ends by itself. */
export function openLog(level: string, dest: string | number = 1): Logger {
  const destination = pino.destination({ dest, sync: false, minLength: GATHER_BYTES, periodicFlush: GATHER_MS })
  return pino({ level, base: undefined, timestamp: isoTime() }, destination)
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
