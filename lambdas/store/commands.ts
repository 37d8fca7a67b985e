import type { Command } from '../../contract/messages.ts'
import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { all } from './paging.ts'

/** Commands stay in the table, numbered per appliance, until the appliance says that they are in its ledger. */

export interface StoredCommand {
  command: Command
  published_at: string | null
}

/** `next` is the number that the next command gets; all up to `through` are acknowledged. */
interface Counter {
  next: number
  through: number
}

export const COMMANDS_DUE = 'due-commands'
const PREFIX = 'command#'

const partition = (appliance: string): string => `appliance#${appliance}`
const counterKey = (appliance: string): Key => ({ pk: partition(appliance), sk: 'commands' })
const sequenceKey = (seq: number): string => PREFIX + String(seq).padStart(12, '0')
export const commandKey = (appliance: string, seq: number): Key => ({ pk: partition(appliance), sk: sequenceKey(seq) })

/** The appliance whose stored command this key is, else undefined. */
export function applianceOfCommand({ pk, sk }: Key): string | undefined {
  return pk.startsWith('appliance#') && sk.startsWith(PREFIX) ? pk.slice('appliance#'.length) : undefined
}

/** `again`: when to publish anew if it is still here; undefined: on the appliance's next hello. */
export function commandItem(appliance: string, value: StoredCommand, version: number, again?: string): Item {
  const key = commandKey(appliance, value.command.seq)
  const due = again && { due: { pk: COMMANDS_DUE, sk: `${again}#${key.pk}#${key.sk}` } }
  return { ...key, version, value, ...(due ? { by: due } : {}) }
}

/** A command before it has its number. */
export type Unnumbered = Command extends infer C ? (C extends Command ? Omit<C, 'seq'> : never) : never

/** The writes that store a command; to be part of the transaction that makes it necessary. They fail when another got the number. */
export function enqueue(table: Table, appliance: string, make: (seq: number) => Command): Promise<Write[]> {
  return enqueued(table, appliance, [make])
}

/** Several for the same appliance, in order. */
export function enqueueAll(table: Table, appliance: string, commands: Unnumbered[]): Promise<Write[]> {
  const numbered = commands.map((command) => (seq: number) => ({ ...command, seq }))
  return commands.length === 0 ? Promise.resolve([]) : enqueued(table, appliance, numbered)
}

async function enqueued(table: Table, appliance: string, makes: ((seq: number) => Command)[]): Promise<Write[]> {
  const item = await table.get(counterKey(appliance))
  const { next, through } = (item?.value as Counter | undefined) ?? { next: 1, through: 0 }
  const value: Counter = { next: next + makes.length, through }
  return [
    {
      put: { ...counterKey(appliance), version: (item?.version ?? 0) + 1, value },
      expect: item ? item.version : 'absent',
    },
    ...makes.map((make, index) => ({
      put: commandItem(appliance, { command: make(next + index), published_at: null }, 1),
      expect: 'absent' as const,
    })),
  ]
}

/** The smallest number that may still be stored. */
export async function storedFrom(table: Table, appliance: string): Promise<number> {
  const counter = (await table.get(counterKey(appliance)))?.value as Counter | undefined
  return (counter?.through ?? 0) + 1
}

/** All that the appliance has not yet acknowledged, in order. */
export function storedCommands(table: Table, appliance: string): Promise<StoredCommand[]> {
  return all<StoredCommand>(table, { pk: partition(appliance), prefix: PREFIX })
}

const AT_ONCE = 99
const ATTEMPTS = 30

/** Forgets what the appliance has. A number beyond what was ever sent counts for nothing more than that. */
export async function acknowledge(table: Table, appliance: string, through: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS;) {
    const item = await table.get(counterKey(appliance))
    const counter = item?.value as Counter | undefined
    if (!item || !counter) return
    const upTo = Math.min(through, counter.next - 1, counter.through + AT_ONCE)
    if (upTo <= counter.through) return
    const done = Array.from({ length: upTo - counter.through }, (_, index) => counter.through + 1 + index)
    const value: Counter = { ...counter, through: upTo }
    const put = { ...counterKey(appliance), version: item.version + 1, value }
    try {
      await table.write([{ put, expect: item.version }, ...done.map((seq) => ({ delete: commandKey(appliance, seq) }))])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error // a new command took a number
      attempt += 1
    }
  }
}
