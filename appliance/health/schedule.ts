/** When which machine is looked at: each at its own time within the interval, so that a site's BMCs are asked one after the other, and
 * those that don't answer ever more seldom. Pure. */

export type Outcome = 'done' | 'again' | 'busy' | 'silent'

interface Turn {
  at: number
  /** Looks in a row that came to nothing. */
  silent: number
}

const AGAIN_MS = 30_000
const MOST_REST = 16

export class Schedule {
  readonly #interval: number
  readonly #random: () => number
  #turns = new Map<string, Turn>()

  constructor(interval: number, random: () => number) {
    this.#interval = interval
    this.#random = random
  }

  /** Those that are there now. One that is new has its turn somewhere in the interval. */
  learn(nodes: readonly string[], now: number): void {
    const turns = nodes.map((node): [string, Turn] => [
      node,
      this.#turns.get(node) ?? { at: now + this.#interval * this.#random(), silent: 0 },
    ])
    this.#turns = new Map(turns)
  }

  /** In the order in which they were due; `silent`: those that failed to answer last time, or the others. */
  due(now: number, silent: boolean): string[] {
    return [...this.#turns]
      .filter(([, turn]) => turn.at <= now && turn.silent > 0 === silent)
      .toSorted(([, a], [, b]) => a.at - b.at)
      .map(([node]) => node)
  }

  looked(node: string, now: number, outcome: Outcome): void {
    const known = this.#turns.get(node)
    if (!known) return
    const silent = outcome === 'silent' ? known.silent + 1 : outcome === 'busy' ? known.silent : 0
    this.#turns.set(node, { at: now + this.#pause(outcome, silent) * (0.9 + this.#random() / 5), silent })
  }

  #pause(outcome: Outcome, silent: number): number {
    switch (outcome) {
      case 'done':
        return this.#interval
      case 'again':
        return Math.min(AGAIN_MS, this.#interval / 4)
      case 'busy':
        return this.#interval / 4
      case 'silent':
        return this.#interval * Math.min(2 ** (silent - 1), MOST_REST)
    }
  }
}
