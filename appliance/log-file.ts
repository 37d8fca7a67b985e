import { openSync } from 'node:fs'
import { pino } from 'pino'
import { gatheredLines } from './log-lines.ts'
import type { Log } from './log.ts'

/** JSON lines, to a file or to standard output. What is gathered goes out when the process ends by itself. */
export function openLog(level: string, dest: string | number = 1): Log {
  const lines = gatheredLines(typeof dest === 'number' ? dest : openSync(dest, 'a'))
  process.on('exit', () => lines.flushSync())
  const time = isoTime()
  const log = pino({ level, base: undefined, timestamp: time }, lines)
  if (!log.isLevelEnabled('info')) return log
  const { info } = pino.levels.values
  return {
    debug: (facts, message) => log.debug(facts, message),
    // Each message that the boot services answer is a line of this level, and pino takes twice the time for it.
    info(facts, message) {
      const members = facts['err'] === undefined ? plainMembers(facts) : undefined
      if (members === undefined) log.info(facts, message)
      else lines.write(`{"level":${info}${time()}${members},"msg":${JSON.stringify(message)}}\n`)
    },
    warn: (facts, message) => log.warn(facts, message),
    error: (facts, message) => log.error(facts, message),
  }
}

/** With a comma before each; undefined where JSON has no words for it, as for a circle. */
function plainMembers(facts: Record<string, unknown>): string | undefined {
  try {
    const text = JSON.stringify(facts)
    return text === '{}' ? '' : `,${text.slice(1, -1)}`
  } catch {
    return undefined
  }
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
