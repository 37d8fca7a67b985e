import type { Memory } from '../drivers/bmc.ts'
import type { Ledger } from './ledger.ts'

/** The state of machines that exist nowhere else: those of fake hardware. */
export function openImagined(ledger: Ledger): (node: string) => Memory {
  const { db } = ledger
  const select = db.prepare('select state from imagined where node = ?')
  const save = db.prepare(
    'insert into imagined (node, state) values (?, ?) on conflict (node) do update set state = excluded.state',
  )
  return (node) => ({
    read: () => (select.get(node) as { state: string } | undefined)?.state,
    write: (state) => ledger.soon(() => void save.run(node, state)),
  })
}
