import type { Ledger } from './ledger.ts'

/** Nodes whose BMC the cloud was told to fail: it is to hear of the end of it also from a later life of this appliance. */
export interface BmcFaults {
  has(node: string): boolean
  add(node: string): void
  remove(node: string): void
}

export function openBmcFaults(ledger: Ledger): BmcFaults {
  const has = ledger.db.prepare('select 1 from bmc_fault where node = ?')
  const add = ledger.db.prepare('insert into bmc_fault (node) values (?) on conflict do nothing')
  const remove = ledger.db.prepare('delete from bmc_fault where node = ?')
  return {
    has: (node) => has.get(node) !== undefined,
    add: (node) => void add.run(node),
    remove: (node) => void remove.run(node),
  }
}
