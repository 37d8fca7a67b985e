import type { DatabaseSync } from 'node:sqlite'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import type { Lease, LeaseStore } from '@bloomery/dhcp/lease.ts'

/**
 * Leases over SQLite. Decisions read memory; what must survive a restart is written in one transaction per batch, synced before
 * any client hears of it. Offers are not written: a client whose offer is forgotten asks again.
 */
export function openLeases(db: DatabaseSync, ranges: readonly { first: number; last: number }[]): LeaseStore {
  db.exec('pragma journal_mode = wal; pragma synchronous = full')
  db.exec(
    `create table if not exists lease (
       address integer primary key, mac text not null, state text not null, expires integer not null
     ) strict`,
  )
  const table = new LeaseTable(ranges)
  const put = db.prepare(
    `insert into lease (address, mac, state, expires) values (?, ?, ?, ?)
     on conflict (address) do update set mac = excluded.mac, state = excluded.state, expires = excluded.expires`,
  )
  const remove = db.prepare('delete from lease where address = ?')
  for (const row of db.prepare('select address, mac, state, expires from lease').all())
    table.stage({ kind: 'put', lease: row as unknown as Lease })

  /** By address: the last change counts. */
  const unwritten = new Map<number, Lease | undefined>()
  const write = (): void => {
    if (unwritten.size === 0) return
    db.exec('begin immediate')
    try {
      for (const [address, lease] of unwritten)
        if (lease === undefined) remove.run(address)
        else put.run(address, lease.mac, lease.state, lease.expires)
      db.exec('commit')
    } catch (error) {
      db.exec('rollback')
      throw error
    }
    unwritten.clear()
  }
  return {
    byAddress: (address) => table.byAddress(address),
    byMac: (mac) => table.byMac(mac),
    free: (range, now, usable) => table.free(range, now, usable),
    stage(change) {
      table.stage(change)
      if (change.kind === 'remove') unwritten.set(change.address, undefined)
      else if (change.lease.state !== 'offered') unwritten.set(change.lease.address, change.lease)
    },
    commit: () =>
      new Promise((resolve) => {
        write()
        resolve()
      }),
  }
}
