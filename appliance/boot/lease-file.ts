import { DatabaseSync } from 'node:sqlite'
import type { Lease } from '@bloomery/dhcp/lease.ts'

/** What is written: a lease, or the address whose lease is gone. */
export type LeaseWrite = Lease | { address: number; state: 'removed' }

export interface LeaseFile {
  all(): Lease[]
  /** One transaction, on disk when this returns; all of it or none. */
  write(changes: readonly LeaseWrite[]): void
  close(): void
}

/** Leases that must survive a power cut, one SQLite file. */
export function openLeaseFile(path: string): LeaseFile {
  const db = new DatabaseSync(path)
  db.exec('pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full')
  db.exec(
    `create table if not exists lease (
       address integer primary key, mac text not null, state text not null, expires integer not null
     ) strict`,
  )
  const put = db.prepare(
    `insert into lease (address, mac, state, expires) values (?, ?, ?, ?)
     on conflict (address) do update set mac = excluded.mac, state = excluded.state, expires = excluded.expires`,
  )
  const remove = db.prepare('delete from lease where address = ?')
  return {
    all: () => db.prepare('select address, mac, state, expires from lease').all() as unknown as Lease[],
    write(changes) {
      db.exec('begin immediate')
      try {
        for (const change of changes)
          if (change.state === 'removed') remove.run(change.address)
          else put.run(change.address, change.mac, change.state, change.expires)
        db.exec('commit')
      } catch (error) {
        if (db.isTransaction) db.exec('rollback') // after a full disk SQLite has already done so
        throw error
      }
    },
    close: () => db.close(),
  }
}
