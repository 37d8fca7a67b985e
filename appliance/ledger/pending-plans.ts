import { command as commandSchema, type Command } from '../../contract/messages.ts'
import type { Ledger } from './ledger.ts'

type Run = Extract<Command, { kind: 'run' }>

/** Commands that were acknowledged, but whose plan still lies in the cloud's blob store. */
export interface PendingPlans {
  add(command: Run): void
  remove(command: Run): void
  has(command: Run): boolean
  all(): Run[]
}

export function openPendingPlans({ db }: Ledger): PendingPlans {
  return {
    add: (command) =>
      void db
        .prepare('insert or replace into pending_plan (seq, body) values (?, ?)')
        .run(command.seq, JSON.stringify(command)),
    remove: (command) => void db.prepare('delete from pending_plan where seq = ?').run(command.seq),
    has: (command) => db.prepare('select 1 from pending_plan where seq = ?').get(command.seq) !== undefined,
    all: () =>
      (db.prepare('select body from pending_plan order by seq').all() as { body: string }[])
        .map((row) => commandSchema.parse(JSON.parse(row.body)))
        .filter((command): command is Run => command.kind === 'run'),
  }
}
