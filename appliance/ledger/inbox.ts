import type { Command } from '../../contract/messages.ts'
import type { Lane } from '../../contract/plan.ts'
import { readCounter, writeCounter } from './counters.ts'
import type { Ledger } from './ledger.ts'

/** Commands that have arrived. `through`: every number up to it is in the ledger, which is what the cloud is told. Numbers above a gap are
 * remembered until the gap is filled, so that a command delivered twice or late is known as such. */

const THROUGH = 'commands through'

export function commandsThrough(ledger: Ledger): number {
  return readCounter(ledger, THROUGH)
}

/** False: it was here before. */
export function remember(ledger: Ledger, command: Pick<Command, 'seq'>): boolean {
  return ledger.soon(() => {
    const through = commandsThrough(ledger)
    if (command.seq <= through) return false
    // All that could come late of these has come.
    ledger.statement('delete from gone where seq <= ?').run(through)
    const added = ledger.statement('insert into command (seq) values (?) on conflict do nothing').run(command.seq)
    advance(ledger, through)
    return Number(added.changes) === 1
  })
}

/** The cloud has forgotten what is below `storedFrom`, because this site had it: on a disk that is gone, if this one lacks it. */
export function skipTo(ledger: Ledger, storedFrom: number): void {
  ledger.soon(() => {
    if (storedFrom - 1 > commandsThrough(ledger)) advance(ledger, storedFrom - 1)
  })
}

/** From `from` on over all numbers that are here. */
function advance(ledger: Ledger, from: number): void {
  const has = ledger.statement('select 1 from command where seq = ?')
  let through = from
  while (has.get(through + 1)) through += 1
  writeCounter(ledger, THROUGH, through)
  ledger.statement('delete from command where seq <= ?').run(through)
}

/** Nothing that was sent about this node before has any effect, however late it comes. */
export function setGone(ledger: Ledger, { node, seq }: Pick<Command, 'node' | 'seq'>): void {
  ledger
    .statement(
      'insert into gone (node, seq) values (?, ?) on conflict (node) do update set seq = max(seq, excluded.seq)',
    )
    .run(node, seq)
}

/** It is of before the node was dropped here. */
export function isGone(ledger: Ledger, { node, seq }: Pick<Command, 'node' | 'seq'>): boolean {
  return ledger.statement('select 1 from gone where node = ? and seq > ?').get(node, seq) !== undefined
}

/** The newest generation seen in this lane of the node; 0 for none. */
export function generationOf(ledger: Ledger, node: string, lane: Lane): number {
  const row = ledger.statement('select generation from lane where node = ? and lane = ?').get(node, lane) as
    | { generation: number }
    | undefined
  return row?.generation ?? 0
}

export function setGeneration(ledger: Ledger, node: string, lane: Lane, generation: number): void {
  ledger
    .statement(
      'insert into lane (node, lane, generation) values (?, ?, ?) on conflict (node, lane) do update set generation = max(generation, excluded.generation)',
    )
    .run(node, lane, generation)
}
