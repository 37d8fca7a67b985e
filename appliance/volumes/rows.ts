import { z } from 'zod'
import { wantedVolume, type WantedVolume } from '../../contract/block-storage.ts'
import { commandsThrough } from '../ledger/inbox.ts'
import type { Ledger } from '../ledger/ledger.ts'

/** What the ledger knows of a volume. `open`: what is wanted has not been done, or not been told. */
export interface VolumeRow {
  uuid: string
  generation: number
  /** Of the command, under which an image's URLs are asked for anew. */
  command: string
  state: 'open' | 'done' | 'failed'
  wanted: WantedVolume | null
}

export interface VolumeRows {
  get(uuid: string): VolumeRow | undefined
  all(): VolumeRow[]
  /** Of a newer generation than what is known. False: it isn't. */
  take(row: VolumeRow, seq: number): boolean
  /** Unless something newer came meanwhile. */
  close(row: VolumeRow, state: 'done' | 'failed'): boolean
}

const stored = z.object({
  uuid: z.string(),
  generation: z.int(),
  command: z.string(),
  state: z.enum(['open', 'done', 'failed']),
  wanted: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : wantedVolume.parse(JSON.parse(text)))),
})

export function openVolumeRows(ledger: Ledger): VolumeRows {
  const columns = 'uuid, generation, command, state, wanted'
  const get = (uuid: string): VolumeRow | undefined => {
    const row = ledger.statement(`select ${columns} from volume where uuid = ?`).get(uuid)
    return row && stored.parse(row)
  }
  return {
    get,
    all: () =>
      ledger
        .statement(`select ${columns} from volume order by uuid`)
        .all()
        .map((row) => stored.parse(row)),
    take({ uuid, generation, command, state, wanted }, seq) {
      const known = get(uuid)
      if (known && known.generation >= generation) return false
      ledger
        .statement(
          `insert into volume (uuid, generation, command, state, seq, wanted) values (?, ?, ?, ?, ?, ?)
           on conflict (uuid) do update set generation = excluded.generation, command = excluded.command,
             state = excluded.state, seq = excluded.seq, wanted = excluded.wanted`,
        )
        .run(uuid, generation, command, state, seq, wanted && JSON.stringify(wanted))
      // Of one that is gone a late command could still speak, while there is a gap before its number.
      ledger
        .statement("delete from volume where wanted is null and state = 'done' and seq <= ?")
        .run(commandsThrough(ledger))
      return true
    },
    close({ uuid, generation }, state) {
      const changed = ledger
        .statement("update volume set state = ? where uuid = ? and generation = ? and state = 'open'")
        .run(state, uuid, generation)
      return Number(changed.changes) === 1
    },
  }
}
