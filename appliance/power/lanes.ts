/** Who waits for whom: BMCs that answer are asked so many at a time, and those that may not are asked apart, fewer at a time. One that turns out
 * to be silent makes room for the next long before its deadline, so that no number of them fills a lane. */
export interface Lanes {
  has(node: string): boolean
  add(node: string, lane: Lane): void
  /** Whoever is still silent after `PATIENCE_MS` makes room. */
  tick(now: number): void
  /** Nobody is asked any more. */
  stop(): void
}

export type Lane = 'steady' | 'suspect'

const PATIENCE_MS = 1000
const ROOM: Readonly<Record<Lane, number>> = { steady: 64, suspect: 32 }
/** Beyond the rooms: a question that waits costs memory and, over TCP, a socket. */
const MOST_LINGERING = 512

interface Question {
  lane: Lane
  since: number
  lingers: boolean
}

/** `ask` never rejects. */
export function openLanes(ask: (node: string) => Promise<void>, now: () => number): Lanes {
  const waiting: Record<Lane, Set<string>> = { steady: new Set(), suspect: new Set() }
  const taken: Record<Lane, number> = { steady: 0, suspect: 0 }
  const asking = new Map<string, Question>()
  let lingering = 0
  let stopped = false

  function fill(lane: Lane): void {
    for (const node of waiting[lane]) {
      if (stopped || taken[lane] >= ROOM[lane]) return
      waiting[lane].delete(node)
      const question: Question = { lane, since: now(), lingers: false }
      asking.set(node, question)
      taken[lane] += 1
      void ask(node).finally(() => {
        asking.delete(node)
        if (question.lingers) lingering -= 1
        else taken[lane] -= 1
        fill(lane)
      })
    }
  }

  return {
    has: (node) => asking.has(node) || waiting.steady.has(node) || waiting.suspect.has(node),
    add(node, lane) {
      waiting[lane].add(node)
      fill(lane)
    },
    tick(at) {
      for (const question of asking.values()) {
        if (lingering >= MOST_LINGERING) break
        if (question.lane !== 'steady' || question.lingers || at - question.since < PATIENCE_MS) continue
        question.lingers = true
        lingering += 1
        taken.steady -= 1
      }
      fill('steady')
    },
    stop() {
      stopped = true
    },
  }
}
