import type { Log } from '../log.ts'

export interface Line {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  facts: Record<string, unknown>
}

/** A log that a test can read. */
export function memoryLog(): Log & { lines: Line[] } {
  const lines: Line[] = []
  const write =
    (level: Line['level']) =>
    (facts: Record<string, unknown>, message: string): void =>
      void lines.push({ level, message, facts })
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
