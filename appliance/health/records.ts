import type { Ledger } from '../ledger/ledger.ts'
import { healthState, type HealthState, newHealth } from './examine.ts'

export interface HealthRecord {
  /** What the driver's last look left for the next; null: there was none at this BMC. */
  kept: string | null
  state: HealthState
}

/** What looks at machines leave behind, across restarts. */
export interface HealthRecords {
  /** `bmc`: what tells one BMC from another; what was read of another than before is void. */
  get(node: string, bmc: string): HealthRecord
  set(node: string, bmc: string, record: HealthRecord): void
}

export function openHealthRecords({ db }: Ledger): HealthRecords {
  const select = db.prepare('select bmc, kept, state from health where node = ?')
  const save = db.prepare(
    `insert into health (node, bmc, kept, state) values (?, ?, ?, ?)
     on conflict (node) do update set bmc = excluded.bmc, kept = excluded.kept, state = excluded.state`,
  )
  type Row = { bmc: string; kept: string | null; state: string }
  return {
    get(node, bmc) {
      const row = select.get(node) as Row | undefined
      if (row?.bmc !== bmc) return { kept: null, state: newHealth }
      return { kept: row.kept, state: healthState.parse(JSON.parse(row.state)) }
    },
    set(node, bmc, { kept, state }) {
      const row = select.get(node) as Row | undefined
      const text = JSON.stringify(state)
      // A look without news writes nothing.
      if (row?.bmc === bmc && row.kept === kept && row.state === text) return
      save.run(node, bmc, kept, text)
    },
  }
}
