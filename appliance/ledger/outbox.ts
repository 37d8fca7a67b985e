import type { Report } from '../../contract/messages.ts'
import { readCounter, writeCounter } from './counters.ts'
import type { Ledger } from './ledger.ts'
import { needless } from './needless.ts'

type Numbered = 'id' | 'seq' | 'at'
/** A report before the outbox numbers it. */
export type NewReport = Report extends infer R ? (R extends Report ? Omit<R, Numbered> : never) : never

export interface Outbox {
  append(report: NewReport): void
  /** Reports that the cloud is not known to have, numbered above `after`, oldest first. */
  pending(after: number, limit: number): Report[]
  /** Reports through this number are about to be sent: from now on each number means its report, for good. */
  telling(through: number): void
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
  const rows = ledger.db.prepare('select body from report order by seq').all() as { body: string }[]
  rewrite(
    ledger,
    0,
    rows.map(({ body }) => body),
    through,
  )
  writeCounter(ledger, TOLD, through)
}

/** These instead of all above `from`, numbered from `first` on. */
function rewrite({ db }: Ledger, from: number, bodies: string[], first = from): void {
  db.prepare('delete from report where seq > ?').run(from)
  const insert = db.prepare('insert into report (seq, body) values (?, ?)')
  bodies.forEach((body, index) => insert.run(first + 1 + index, body))
  db.exec("delete from sqlite_sequence where name = 'report'")
  db.prepare("insert into sqlite_sequence (name, seq) values ('report', ?)").run(first + bodies.length)
}

function isSummary(report: Report): boolean {
  return report.kind === 'notice' && report.subject === 'reports'
}

function summaryOf(ledger: Ledger): string {
  const count = readCounter(ledger, DROPPED)
  return `this site was cut off for so long that it dropped ${count} of its reports: steps that were over, states that changed again, older notices and sightings of unknown machines`
}

const THROUGH = 'reports through'
/** Numbers above this one are known to nobody yet. */
const TOLD = 'reports told'
const DROPPED = 'reports dropped'
/** When more than these wait, those are dropped that later ones make needless. */
const MOST = 10_000

/** `most`: see MOST. */
export function openOutbox(ledger: Ledger, now: () => Date, uuid: () => string, most = MOST): Outbox {
  const insert = ledger.db.prepare('insert into report (body) values (?)')
  const select = ledger.db.prepare('select seq, body from report where seq > ? order by seq limit ?')
  const known = (): number => Math.max(readCounter(ledger, THROUGH), readCounter(ledger, TOLD))
  const put = (report: NewReport): number =>
    Number(insert.run(JSON.stringify({ ...report, id: uuid(), at: now().toISOString() })).lastInsertRowid)
  let listener = (): void => {}
  let limit = most
  // A ledger of an earlier version doesn't say what it told: all of it, perhaps.
  if (readCounter(ledger, TOLD) === 0) writeCounter(ledger, TOLD, lastNumber(ledger))

  /** What is left is numbered anew without gaps, because the cloud counts without gaps; what was dropped is said in the last one. */
  function level(last: number): void {
    ledger.transaction(() => {
      const from = known()
      const rows = select.all(from, last - from) as { seq: number; body: string }[]
      const waiting = rows.map(({ seq, body }) => ({ ...(JSON.parse(body) as Report), seq }))
      const gone = new Set([...needless(waiting), ...waiting.filter(isSummary).map(({ seq }) => seq)])
      limit = rows.length - gone.size + most
      const news = gone.size - waiting.filter(isSummary).length
      if (news === 0) return
      const left = rows.filter(({ seq }) => !gone.has(seq)).map(({ body }) => body)
      rewrite(ledger, from, left)
      writeCounter(ledger, DROPPED, readCounter(ledger, DROPPED) + news)
      put({ kind: 'notice', subject: 'reports', text: summaryOf(ledger) })
    })
  }

  return {
    append(report) {
      const seq = put(report)
      if (seq - known() > limit) level(seq)
      queueMicrotask(() => listener())
    },
    pending(after, limit) {
      const rows = select.all(Math.max(after, readCounter(ledger, THROUGH)), limit) as { seq: number; body: string }[]
      return rows.map((row) => ({ ...(JSON.parse(row.body) as Report), seq: row.seq }))
    },
    telling(through) {
      if (through > readCounter(ledger, TOLD)) ledger.soon(() => writeCounter(ledger, TOLD, through))
    },
    received(through) {
      ledger.soon(() => {
        if (through <= readCounter(ledger, THROUGH)) return
        if (through > lastNumber(ledger)) renumber(ledger, through)
        writeCounter(ledger, THROUGH, through)
        ledger.statement('delete from report where seq <= ?').run(through)
        if (select.get(through, 1) !== undefined) return
        limit = most
        writeCounter(ledger, DROPPED, 0)
      })
    },
    onAppend(to) {
      listener = to
    },
  }
}
