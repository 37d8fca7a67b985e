/** Time as a seam: `main` passes the real one, tests a virtual one. */
export interface Clock {
  now(): Date
  /** Resolves after `ms`, rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Asks `probe` every `everyMs` until it answers something or `until` passes; then undefined. */
export async function poll<T>(
  clock: Clock,
  options: { until: Date; everyMs: number; signal: AbortSignal },
  probe: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (;;) {
    options.signal.throwIfAborted()
    const answer = await probe()
    if (answer !== undefined) return answer
    const left = options.until.getTime() - clock.now().getTime()
    if (left <= 0) return undefined
    await clock.sleep(Math.min(options.everyMs, left), options.signal)
  }
}
