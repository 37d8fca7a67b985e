import type { Lease, LeaseChange, LeaseStore } from './lease.ts'
import { Pool } from './pool.ts'

const NONE: readonly Lease[] = []

/** All leases in memory: the index behind a durable store, or a store of its own where a restart may forget. */
export class LeaseTable implements LeaseStore {
  readonly #byAddress = new Map<number, Lease>()
  readonly #byMac = new Map<string, readonly Lease[]>()
  readonly #pools: Pool[]

  constructor(ranges: readonly { first: number; last: number }[]) {
    this.#pools = ranges.map((range) => new Pool(range.first, range.last))
  }

  get size(): number {
    return this.#byAddress.size
  }

  byAddress(address: number): Lease | undefined {
    return this.#byAddress.get(address)
  }

  byMac(mac: string): readonly Lease[] {
    return this.#byMac.get(mac) ?? NONE
  }

  free(range: { first: number; last: number }, now: number, usable: (address: number) => boolean): number | undefined {
    const pool = this.#pools.find((candidate) => candidate.first === range.first && candidate.last === range.last)
    return pool?.free(now, usable)
  }

  stage(change: LeaseChange): void {
    if (change.kind === 'remove') {
      this.#forget(change.address)
      this.#pool(change.address)?.removed(change.address)
      return
    }
    const { lease } = change
    const before = this.#byAddress.get(lease.address)
    if (before?.mac !== lease.mac) this.#forget(lease.address)
    this.#byAddress.set(lease.address, lease)
    if (lease.mac !== '') this.#byMac.set(lease.mac, withLease(this.byMac(lease.mac), lease))
    this.#pool(lease.address)?.leased(lease)
  }

  commit(): Promise<void> {
    return Promise.resolve()
  }

  #forget(address: number): void {
    const old = this.#byAddress.get(address)
    if (old === undefined) return
    this.#byAddress.delete(address)
    const others = this.byMac(old.mac).filter((lease) => lease !== old)
    if (others.length > 0) this.#byMac.set(old.mac, others)
    else this.#byMac.delete(old.mac)
  }

  #pool(address: number): Pool | undefined {
    return this.#pools.find((pool) => address >= pool.first && address <= pool.last)
  }
}

/** In the place of the one that the address had; a client with one lease is the rule. */
function withLease(held: readonly Lease[], lease: Lease): Lease[] {
  return held.length === 0 ? [lease] : [...held.filter(({ address }) => address !== lease.address), lease]
}
