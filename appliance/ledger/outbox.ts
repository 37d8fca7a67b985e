import type { Report } from '../../contract/messages.ts'
import { readCounter, writeCounter } from './counters.ts'
import type { Ledger } from './ledger.ts'

type Numbered = 'id' | 'seq' | 'at'
/** A report before the outbox numbers it. */
export type NewReport = Report extends infer R ? (R extends Report ? Omit<R, Numbered> : never) : never

export interface Outbox {
  append(report: NewReport): void
  /** Reports that the cloud is not known to have, numbered above `after`, oldest first. */
  pending(after: number, limit: number): Report[]
  /** The cloud has everything through this number: forget it. */
  received(through: number): void
  /** Told after every append, outside any transaction. */
  onAppend(listener: () => void): void
}

/** Of a report that this ledger ever held. */
function lastNumber(ledger: Ledger): number {
  const row = ledger.statement("select seq from sqlite_sequence where name = 'report'").get() as
    | { seq: number }
    | undefined
  return row?.seq ?? 0
}

/** The cloud counts further than this ledger, which began anew on an empty disk: our numbers meant nothing to it, so all are told again
 * under numbers that do. */
function renumber(ledger: Ledger, through: number): void {
  const { db } = ledger
  const rows = db.prepare('select body from report order by seq').all() as { body: string }[]
  db.exec('delete from report')
  const insert = db.prepare('insert into report (seq, body) values (?, ?)')
  rows.forEach(({ body }, index) => insert.run(through + 1 + index, body))
  if (rows.length > 0) return
  db.exec("delete from sqlite_sequence where name = 'report'")
  db.prepare("insert into sqlite_sequence (name, seq) values ('report', ?)").run(through)
}

const THROUGH = 'reports through'

export function openOutbox(ledger: Ledger, now: () => Date, uuid: () => string): Outbox {
  const insert = ledger.db.prepare('insert into report (body) values (?)')
  const select = ledger.db.prepare('select seq, body from report where seq > ? order by seq limit ?')
  let listener = (): void => {}
  return {
    append(report) {
      insert.run(JSON.stringify({ ...report, id: uuid(), at: now().toISOString() }))
      queueMicrotask(() => listener())
    },
    pending(after, limit) {
      const rows = select.all(Math.max(after, readCounter(ledger, THROUGH)), limit) as { seq: number; body: string }[]
      return rows.map((row) => ({ ...(JSON.parse(row.body) as Report), seq: row.seq }))
    },
    received(through) {
      ledger.soon(() => {
        if (through <= readCounter(ledger, THROUGH)) return
        if (through > lastNumber(ledger)) renumber(ledger, through)
        writeCounter(ledger, THROUGH, through)
        ledger.statement('delete from report where seq <= ?').run(through)
      })
    },
    onAppend(to) {
      listener = to
    },
  }
}
