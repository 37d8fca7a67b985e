import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { openDisk } from './disk.ts'

/** The appliance's memory, one SQLite file: what is in here survives kill -9 and a power cut at any instant. Rooms keep their own tables;
 * `transaction` makes what they write together true together. */
export interface Ledger {
  db: DatabaseSync
  /** On disk when it returns. */
  transaction<T>(work: () => T): T
  /** A transaction that survives kill -9 when it returns, and a power cut when `durable` says so: for what nobody outside, cloud or
   * machine, is shown before that. Many share one sync. */
  soon<T>(work: () => T): T
  /** Undefined: all is on disk. Else resolves when all that was written by now is. */
  durable(): Promise<void> | undefined
  /** Prepared once. */
  statement(text: string): StatementSync
  close(): void
}

const schema = `
create table if not exists command (seq integer primary key) strict;
create table if not exists gone (node text primary key, seq integer not null) strict;
create table if not exists pending_plan (seq integer primary key, body text not null) strict;
create table if not exists counter (name text primary key, value integer not null) strict;
create table if not exists lane (
  node text not null, lane text not null, generation integer not null, primary key (node, lane)
) strict;
create table if not exists journal (
  plan text primary key, node text not null, lane text not null, generation integer not null, body text not null,
  state text not null, command_seq integer not null, step integer not null default 0, step_started text,
  ordinal integer not null default 0, memo text not null default '{}', seconds text not null default '[]',
  cancel text, failure text
) strict;
create index if not exists journal_node on journal (node, lane);
create table if not exists unheld (plan text not null, step integer not null, primary key (plan, step)) strict;
create table if not exists imagined (node text primary key, state text not null) strict;
create table if not exists report (seq integer primary key autoincrement, body text not null) strict;
create table if not exists bmc_fault (node text primary key) strict;
create table if not exists health (node text primary key, bmc text not null, kept text not null, state text not null) strict;
create table if not exists console (node text primary key) strict;
create table if not exists ssh_host_key (node text primary key, address text not null, fingerprint text not null) strict;
create table if not exists volume (
  uuid text primary key, generation integer not null, command text not null, state text not null, seq integer not null, wanted text
) strict;
create table if not exists tenant_port (port text primary key, generation integer not null, mac text not null, body text not null) strict;
create index if not exists tenant_port_mac on tenant_port (mac);
create table if not exists url (key text primary key, url text not null) strict;
create table if not exists machine (
  node text primary key, generation integer not null, facts text not null, boot text, power_state text
) strict;
create table if not exists mac (address text primary key, node text not null) strict;
create table if not exists boot_token (token text primary key, node text not null, mac text not null, generation integer not null) strict;
create table if not exists spent_token (
  token text primary key, node text not null, mac text not null, spent integer not null
) strict;
create table if not exists installer (node text primary key, status text not null, message text not null) strict;
create table if not exists agent (
  node text primary key, token blob not null, given integer not null, url text, certificate text, version text,
  started_at text not null, heartbeat_at text
) strict;
`

export function openLedger(path: string): Ledger {
  const db = new DatabaseSync(path)
  db.exec('pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full')
  db.exec(schema)
  // Commits are appended to the write-ahead log in order: its sync makes each of them durable.
  const disk = path === ':memory:' ? undefined : openDisk(`${path}-wal`)
  const statements = new Map<string, StatementSync>()
  let depth = 0
  const inOne = <T>(work: () => T): T => {
    const failure = disk?.failure()
    if (failure) throw failure
    db.exec('begin immediate')
    depth += 1
    try {
      const result = work()
      db.exec('commit')
      return result
    } catch (error) {
      // SQLite has rolled back by itself when the disk was full.
      if (db.isTransaction) db.exec('rollback')
      throw error
    } finally {
      depth -= 1
    }
  }
  return {
    db,
    transaction: (work) => (depth > 0 ? work() : inOne(work)),
    soon(work) {
      if (depth > 0) return work()
      // `normal` leaves the sync to us.
      db.exec('pragma synchronous = normal')
      try {
        const result = inOne(work)
        disk?.appended()
        return result
      } finally {
        db.exec('pragma synchronous = full')
      }
    },
    durable: () => disk?.durable(),
    statement(text) {
      const known = statements.get(text) ?? db.prepare(text)
      statements.set(text, known)
      return known
    },
    close() {
      disk?.close()
      db.close()
    },
  }
}
