import { ExpiryQueue } from './expiry-queue.ts'
import type { Lease } from './lease.ts'

/** So many unusable candidates (reserved for others) are passed over for one request; the next request looks further. */
const MAX_TRIES = 64

/** Which address of a range to give next: those never leased in order, then the one that has been free the longest. */
export class Pool {
  readonly first: number
  readonly last: number
  #fresh: number
  readonly #expiring = new ExpiryQueue()

  constructor(first: number, last: number) {
    this.first = first
    this.last = last
    this.#fresh = first
  }

  removed(address: number): void {
    if (this.#expiring.has(address)) this.#expiring.set(address, 0)
  }

  leased(lease: Lease): void {
    this.#expiring.set(lease.address, lease.expires)
  }

  free(now: number, usable: (address: number) => boolean): number | undefined {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      this.#admitFresh()
      const longestFree = this.#expiring.first()
      if (longestFree === undefined || longestFree.expires > now) return undefined
      if (usable(longestFree.address)) return longestFree.address
      this.#expiring.set(longestFree.address, now)
    }
    return undefined
  }

  /** One at a time, so that a pool of many addresses costs nothing until they are used. */
  #admitFresh(): void {
    const before = this.#expiring.first()
    if (before !== undefined && before.expires === 0) return
    while (this.#fresh <= this.last && this.#expiring.has(this.#fresh)) this.#fresh += 1
    if (this.#fresh > this.last) return
    this.#expiring.set(this.#fresh, 0)
    this.#fresh += 1
  }
}
