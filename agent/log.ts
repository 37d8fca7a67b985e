/** One JSON line per decision, on the console and in memory for log.collect_system_logs. Tokens are never facts. */
export type Facts = Record<string, unknown>

export interface Log {
  debug(event: string, facts?: Facts): void
  info(event: string, facts?: Facts): void
  warn(event: string, facts?: Facts): void
  error(event: string, facts?: Facts): void
  /** The latest lines, oldest first. */
  recent(): string
}

const kept = 5000

export function createLog(write: (line: string) => void, now: () => number, debug = false): Log {
  const lines: string[] = []
  const at =
    (level: string) =>
    (event: string, facts: Facts = {}) => {
      const line = JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...facts })
      lines.push(line)
      if (lines.length > kept) lines.shift()
      write(`${line}\n`)
    }
  return {
    debug: debug ? at('debug') : () => undefined,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    recent: () => lines.map((line) => `${line}\n`).join(''),
  }
}

/** A URL fit for a log or an error: signed URLs carry their secret in the query, others before the host. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return 'an invalid URL'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** What went wrong, with its causes: `fetch failed: connect ECONNREFUSED …`. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${reason(error.cause)}`
}
