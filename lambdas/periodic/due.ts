import type { Item, Table } from '../platform.ts'
import { items } from '../store/paging.ts'

/** Items of a list by deadline whose time has come. Sort keys begin with the instant; `~` comes after all that may follow it. */
export function dueItems(table: Table, pk: string, now: Date): AsyncGenerator<Item> {
  return items(table, { index: 'due', pk, through: `${now.toISOString()}~` })
}
