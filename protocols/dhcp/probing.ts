import { ipv4ToText } from '@bloomery/wire/address.ts'
import type { Decision, Facts } from './decision.ts'
import type { LeaseChange } from './lease.ts'

/** So many clients wait for a probe at once: a flood of made-up MACs must not become a flood of sockets. */
const MAX_PROBES = 64
const MAX_TRIES = 4
const QUARANTINE_MS = 600_000

export interface ProbingParts {
  /** Who answers at an address: a MAC, or other words; undefined for nobody. */
  hostAt: (address: number) => Promise<string | undefined>
  now: () => number
  stage: (change: LeaseChange) => void
  onDecision: (facts: Facts) => void
}

/** Offers that wait until it is known that nobody else has their address (RFC 2131 §2.2). */
export class Probing {
  readonly #parts: ProbingParts
  readonly #clients = new Set<string>()

  constructor(parts: ProbingParts) {
    this.#parts = parts
  }

  /** A client that asks again while its address is being probed is answered once. */
  accepts(mac: string): boolean {
    return this.#clients.size < MAX_PROBES && !this.#clients.has(mac)
  }

  /** An offer of an address that is free; `again` decides anew after each that was not. */
  async settle(first: Decision, again: () => Decision | undefined): Promise<Decision | undefined> {
    const { mac } = first.facts
    this.#clients.add(mac)
    try {
      let decision: Decision | undefined = first
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        if (decision?.probe === undefined) return decision
        const host = await this.#parts.hostAt(decision.probe)
        if (host === undefined || host === mac) return decision
        this.#quarantine(decision, decision.probe, host)
        decision = again()
      }
      return undefined
    } finally {
      this.#clients.delete(mac)
    }
  }

  #quarantine({ facts }: Decision, address: number, host: string): void {
    const expires = this.#parts.now() + QUARANTINE_MS
    this.#parts.stage({ kind: 'put', lease: { address, mac: '', state: 'declined', expires } })
    const because = `${host} answers at ${ipv4ToText(address)}, which is not leased: kept out of use for 10 minutes`
    this.#parts.onDecision({ ...facts, reply: 'none', file: undefined, because })
  }
}
