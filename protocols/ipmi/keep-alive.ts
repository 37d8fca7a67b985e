import type { Clock } from './clock.ts'

export interface KeepAlive {
  clock: Clock
  /** So long a silence is ended by a question. */
  everyMs: number
  idleFor(this: void): number
  ask(this: void): Promise<unknown>
  /** Nobody answered; nothing is asked any more. */
  failed(this: void, error: unknown): void
}

/** §6.12.15: a BMC forgets a session after 60 s ± 3 s of silence. Returns what ends it. */
export function keepAlive({ clock, everyMs, idleFor, ask, failed }: KeepAlive): () => void {
  let isOver = false
  let cancel = (): void => undefined
  const next = (): void => {
    if (isOver) return
    cancel = clock.after(Math.max(everyMs - idleFor(), 1), () => {
      if (idleFor() < everyMs) return next()
      ask().then(next, (error: unknown) => isOver || failed(error))
    })
  }
  next()
  return () => {
    isOver = true
    cancel()
  }
}
