/** Who waits for whom: BMCs that answer at once are asked so many at a time, those that are slow apart from them, and those that were silent
 * apart from both. One that takes longer than its lane is made for gives up its place long before its deadline, so that no number of
 * them fills a lane for those who answer. */
export interface Lanes {
  has(node: string): boolean
  add(node: string, lane: Lane): void
  /** Whoever is still silent after his lane's patience makes room. */
  tick(now: number): void
  /** Nobody is asked any more. */
  stop(): void
}

export type Lane = 'steady' | 'slow' | 'silent'

const lanes: Readonly<Record<Lane, { room: number; patienceMs: number }>> = {
  steady: { room: 64, patienceMs: 1000 },
  slow: { room: 64, patienceMs: 10_000 },
  silent: { room: 64, patienceMs: Infinity },
}
/** Beyond the rooms: a question that waits costs memory and, over TCP, a socket. */
const MOST_LINGERING = 512

interface Question {
  lane: Lane
  since: number
  lingers: boolean
}

/** `ask` never rejects. */
export function openLanes(ask: (node: string) => Promise<void>, now: () => number): Lanes {
  const waiting: Record<Lane, Set<string>> = { steady: new Set(), slow: new Set(), silent: new Set() }
  const taken: Record<Lane, number> = { steady: 0, slow: 0, silent: 0 }
  const asking = new Map<string, Question>()
  let lingering = 0
  let stopped = false

  function fill(lane: Lane): void {
    for (const node of waiting[lane]) {
      if (stopped || taken[lane] >= lanes[lane].room) return
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
    has: (node) => asking.has(node) || Object.values(waiting).some((queue) => queue.has(node)),
    add(node, lane) {
      waiting[lane].add(node)
      fill(lane)
    },
    tick(at) {
      for (const question of asking.values()) {
        if (lingering >= MOST_LINGERING) break
        if (question.lingers || at - question.since < lanes[question.lane].patienceMs) continue
        question.lingers = true
        lingering += 1
        taken[question.lane] -= 1
      }
      fill('steady')
      fill('slow')
    },
    stop() {
      stopped = true
    },
  }
}
