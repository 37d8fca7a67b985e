/** What one check found: `said` is the fact, `remedy` what to do about it. */
export interface Finding {
  check: string
  verdict: 'ok' | 'warning' | 'failed'
  said: string
  remedy?: string
}

export function ok(check: string, said: string): Finding {
  return { check, verdict: 'ok', said }
}

export function warning(check: string, said: string, remedy: string): Finding {
  return { check, verdict: 'warning', said, remedy }
}

export function failed(check: string, said: string, remedy: string): Finding {
  return { check, verdict: 'failed', said, remedy }
}
