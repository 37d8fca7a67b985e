import type { SessionLimits } from './bmc-options.ts'
import type { Account } from './bmc-users.ts'
import type { CipherSuite } from './cipher-suite.ts'
import type { Clock } from './clock.ts'
import type { Exchange } from './crypto.ts'
import { type Random, randomSessionId } from './random.ts'
import type { Wrapping } from './wrapping.ts'

/** What a repeated request gets: the same answer, without doing the thing twice. */
export interface Answered {
  request: Uint8Array
  reply: Uint8Array
  at: number
}

/** A log-in under way: opened, then (with `exchange` and `user`) named by RAKP 1. */
export interface PendingSession {
  id: number
  consoleId: number
  suite: CipherSuite
  since: number
  rakp1?: Answered
  exchange?: Exchange
  user?: Account
}

export interface ActiveSession {
  id: number
  consoleId: number
  user: Account
  /** The most that it may be raised to: what RAKP 1 asked for. */
  ceiling: number
  privilege: number
  wrapping: Wrapping
  lastHeard: number
  /** The last word of an RMCP+ log-in. */
  rakp3?: Answered
  last?: Answered
  /** Sends a datagram that nobody asked for to where the session's last packet came from. */
  send?: (bytes: Uint8Array) => void
  /** Requests are done in turn; `queued` of them wait. */
  queued: number
  tail: Promise<unknown>
}

/** The sessions of one BMC, bounded: nothing that a stranger sends makes it grow. */
export class BmcSessions {
  readonly #pending = new Map<number, PendingSession>()
  readonly #active = new Map<number, ActiveSession>()
  readonly #limits: SessionLimits
  readonly #clock: Clock
  readonly #random: Random

  constructor(limits: SessionLimits, clock: Clock, random: Random) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
  }

  count(): { pending: number; active: number } {
    this.#expire()
    return { pending: this.#pending.size, active: this.#active.size }
  }

  /** Undefined: every slot is taken by somebody who logged in. */
  open(consoleId: number, suite: CipherSuite): PendingSession | undefined {
    this.#expire()
    if (this.#active.size >= this.#limits.active) return undefined
    if (this.#pending.size >= this.#limits.pending) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest)
        break
      }
    }
    const session: PendingSession = { id: this.#unusedId(), consoleId, suite, since: this.#clock.now() }
    this.#pending.set(session.id, session)
    return session
  }

  pending(id: number): PendingSession | undefined {
    this.#expire()
    return this.#pending.get(id)
  }

  active(id: number): ActiveSession | undefined {
    this.#expire()
    return this.#active.get(id)
  }

  /** Undefined: while this one was logging in, others took every slot. */
  activate(
    pending: Pick<PendingSession, 'id' | 'consoleId'>,
    login: Pick<ActiveSession, 'user' | 'ceiling' | 'privilege' | 'wrapping' | 'rakp3'>,
  ): ActiveSession | undefined {
    this.#pending.delete(pending.id)
    if (this.#active.size >= this.#limits.active) return undefined
    const { id, consoleId } = pending
    const session: ActiveSession = {
      id,
      consoleId,
      ...login,
      lastHeard: this.#clock.now(),
      queued: 0,
      tail: Promise.resolve(),
    }
    this.#active.set(id, session)
    return session
  }

  closeAll(): void {
    this.#pending.clear()
    this.#active.clear()
  }

  close(id: number): boolean {
    return this.#pending.delete(id) || this.#active.delete(id)
  }

  #expire(): void {
    const now = this.#clock.now()
    for (const { id, since } of this.#pending.values()) {
      if (now - since > this.#limits.pendingMs) this.#pending.delete(id)
    }
    for (const { id, lastHeard } of this.#active.values()) {
      if (now - lastHeard > this.#limits.idleMs) this.#active.delete(id)
    }
  }

  #unusedId(): number {
    for (;;) {
      const id = randomSessionId(this.#random)
      if (!this.#pending.has(id) && !this.#active.has(id)) return id
    }
  }
}
