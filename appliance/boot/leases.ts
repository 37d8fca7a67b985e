import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import { openLeaseJournal, type LeaseJournal } from './lease-journal.ts'
import { lockLeases } from './lease-lock.ts'
import type { LeaseRecord } from './lease-record.ts'

export interface DurableLeases extends LeaseStore {
  /** Of all states. */
  readonly size: number
  /** What was committed is on disk; what was only staged is forgotten. */
  close(): Promise<void>
}

/**
 * Leases over a journal. Decisions read memory; what must survive a restart is written by one write per batch, on disk before any
 * client hears of it. Offers are not written: a client whose offer is forgotten asks again.
 */
export async function openLeases(
  path: string,
  ranges: readonly { first: number; last: number }[],
  openJournal: (path: string) => Promise<LeaseJournal> = openLeaseJournal,
  lockMs?: number,
): Promise<DurableLeases> {
  const table = new LeaseTable(ranges)
  const lock = lockLeases(path, lockMs)
  const journal = await openJournal(path).catch((error: unknown) => {
    lock.release()
    throw error
  })
  for (const lease of journal.leases()) table.stage({ kind: 'put', lease })

  /** By address: the last change counts. */
  let unwritten = new Map<number, LeaseRecord>()
  let last: Promise<void> = Promise.resolve()
  let closed = false
  const write = async (): Promise<void> => {
    if (closed) throw new Error(`the lease journal ${path} is closed`)
    if (unwritten.size === 0) return
    const batch = unwritten
    unwritten = new Map()
    try {
      await journal.write([...batch.values()])
    } catch (cause) {
      unwritten = new Map([...batch, ...unwritten]) // what was staged since is newer
      throw new Error(`lease journal ${path} could not be written`, { cause })
    }
  }
  return {
    byAddress: (address) => table.byAddress(address),
    byMac: (mac) => table.byMac(mac),
    free: (range, now, usable) => table.free(range, now, usable),
    get size() {
      return table.size
    },
    stage(change) {
      const before = change.kind === 'remove' ? table.byAddress(change.address) : undefined
      table.stage(change)
      if (change.kind === 'put') {
        if (change.lease.state !== 'offered') unwritten.set(change.lease.address, change.lease)
      } else if (before?.state !== 'offered' || unwritten.has(change.address))
        unwritten.set(change.address, { address: change.address, state: 'removed' })
    },
    commit() {
      if (unwritten.size > 0) last = last.then(write, write)
      return last
    },
    async close() {
      closed = true
      await last.catch(() => {}) // whoever waits for it is told
      await journal.close()
      lock.release()
    },
  }
}
