export interface Lease {
  address: number
  /** The MAC; '' where a client said that the address is in use by another host. */
  mac: string
  state: 'offered' | 'bound' | 'declined'
  /** Milliseconds since the epoch. A lease that ran out is kept until its address is needed, so that the client gets it again. */
  expires: number
}

export interface LeaseView {
  byAddress(address: number): Lease | undefined
  /** The leases of one MAC: one per subnet at most, as a machine moves between few. */
  byMac(mac: string): readonly Lease[]
  /** An address of the range that nobody holds at `now` and `usable` agrees to. The cost doesn't grow with the leases. */
  free(range: { first: number; last: number }, now: number, usable: (address: number) => boolean): number | undefined
}

export type LeaseChange = { kind: 'put'; lease: Lease } | { kind: 'remove'; address: number }

export interface LeaseStore extends LeaseView {
  /** Seen by the next decision at once. Offers need not survive a restart; every other change does. */
  stage(change: LeaseChange): void
  /** Resolves when all that was staged is durable; after a failure, the next commit tries again. */
  commit(): Promise<void>
}
