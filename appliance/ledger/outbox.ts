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
      ledger.transaction(() => {
        if (through <= readCounter(ledger, THROUGH)) return
        writeCounter(ledger, THROUGH, through)
        ledger.db.prepare('delete from report where seq <= ?').run(through)
      })
    },
    onAppend(to) {
      listener = to
    },
  }
}
