import { plan as planSchema, type Lane, type Plan } from '../../contract/plan.ts'
import type { BootDevice } from '../../contract/resources.ts'
import type { Ledger } from './ledger.ts'

/** Where each plan stands. A plan is open until its last report is written, in the same transaction as its end. */
export interface Entry {
  plan: Plan
  state: 'open' | 'closed'
  commandSeq: number
  step: number
  /** When the step in progress was first begun: its deadline counts from here, also after a crash. */
  stepStarted: Date | undefined
  ordinal: number
  /** What the step in progress noted for a second attempt after a crash. */
  memo: Record<string, string>
  seconds: number[]
  /** Why the cloud wants it stopped. */
  cancel: string | undefined
  /** The step that failed said this; only the `on_failure` steps are left. */
  failure: string | undefined
  /** Set by a step of this run; not kept over a crash. */
  bootDevice?: { boot_device: BootDevice; persistent: boolean }
}

interface Row {
  plan: string
  body: string
  state: 'open' | 'closed'
  command_seq: number
  step: number
  step_started: string | null
  ordinal: number
  memo: string
  seconds: string
  cancel: string | null
  failure: string | null
}

export interface Journal {
  add(plan: Plan, commandSeq: number): void
  get(plan: string): Entry | undefined
  openIn(node: string, lane: Lane): Entry | undefined
  open(): Entry[]
  /** What is closed stays closed, and a cancellation stays, whatever an older copy of the entry says. */
  save(entry: Entry): void
  /** The `hold` that is this step is over. */
  unhold(plan: string, step: number): void
  isUnheld(plan: string, step: number): boolean
  forget(node: string): void
}

export function openJournal(ledger: Ledger): Journal {
  const { db } = ledger
  const one = db.prepare('select * from journal where plan = ?')
  const inLane = db.prepare(
    "select * from journal where node = ? and lane = ? and state = 'open' order by generation desc",
  )
  const update = db.prepare(
    `update journal set state = ?, step = ?, step_started = ?, ordinal = ?, memo = ?, seconds = ?,
       cancel = coalesce(?, cancel), failure = ?
     where plan = ? and state = 'open'`,
  )
  const release = db.prepare('insert into unheld (plan, step) values (?, ?) on conflict do nothing')
  const released = db.prepare('select 1 from unheld where plan = ? and step = ?')
  const insert = db.prepare(
    "insert into journal (plan, node, lane, generation, body, state, command_seq) values (?, ?, ?, ?, ?, 'open', ?)",
  )
  const clear = db.prepare("delete from journal where node = ? and lane = ? and state = 'closed'")
  const orphans = db.prepare('delete from unheld where plan not in (select plan from journal)')
  /** Open ones, parsed: a plan never changes, and is asked for at every step. */
  const plans = new Map<string, Plan>()
  const entry = (row: Row | undefined): Entry | undefined => {
    if (!row) return undefined
    const plan = plans.get(row.plan) ?? planSchema.parse(JSON.parse(row.body))
    if (row.state === 'open') plans.set(row.plan, plan)
    return entryOf(row, plan)
  }
  return {
    add(plan, commandSeq) {
      clear.run(plan.node, plan.lane)
      orphans.run()
      insert.run(plan.id, plan.node, plan.lane, plan.generation, JSON.stringify(plan), commandSeq)
    },
    get: (plan) => entry(one.get(plan) as Row | undefined),
    openIn: (node, lane) => entry(inLane.get(node, lane) as Row | undefined),
    open: () =>
      (db.prepare("select * from journal where state = 'open' order by rowid").all() as unknown as Row[]).map((row) =>
        entry(row)!,
      ),
    save(e) {
      if (e.state === 'closed') plans.delete(e.plan.id)
      update.run(
        e.state,
        e.step,
        e.stepStarted?.toISOString() ?? null,
        e.ordinal,
        JSON.stringify(e.memo),
        JSON.stringify(e.seconds),
        e.cancel ?? null,
        e.failure ?? null,
        e.plan.id,
      )
    },
    unhold: (plan, step) => void release.run(plan, step),
    isUnheld: (plan, step) => released.get(plan, step) !== undefined,
    forget(node) {
      db.prepare('delete from journal where node = ?').run(node)
      orphans.run()
      for (const plan of plans.values()) if (plan.node === node) plans.delete(plan.id)
    },
  }
}

function entryOf(row: Row, plan: Plan): Entry {
  return {
    plan,
    state: row.state,
    commandSeq: row.command_seq,
    step: row.step,
    stepStarted: row.step_started === null ? undefined : new Date(row.step_started),
    ordinal: row.ordinal,
    memo: JSON.parse(row.memo) as Record<string, string>,
    seconds: JSON.parse(row.seconds) as number[],
    cancel: row.cancel ?? undefined,
    failure: row.failure ?? undefined,
  }
}
