import type { Volume } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { countedTable } from './counted.ts'
import { volumeStore } from './store.ts'

type Needs = Pick<Platform, 'table' | 'clock'>

const ATTEMPTS = 30
/** For an image to cross the WAN; a site that is cut off for longer does it late. */
const SITE_SECONDS = 3600

/** Reads, decides, writes if nobody wrote meanwhile, else anew. `decide` returns undefined for no change. Undefined: no such volume. */
export async function changeVolume(
  { table, clock }: Needs,
  uuid: string,
  decide: (volume: Volume) => Partial<Volume> | undefined,
): Promise<Volume | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await volumeStore.get(table, uuid)
    if (!before) return undefined
    const changes = decide(before)
    if (!changes) return before
    const after = changed({ clock }, before, changes)
    if (await volumeStore.save(countedTable(table, before, after), before, after)) return after
  }
  throw new UserError(409, `Volume ${uuid} is being changed by many at once, please retry.`)
}

export function changed({ clock }: Pick<Needs, 'clock'>, before: Volume, changes: Partial<Volume>): Volume {
  return { ...before, ...changes, updated_at: clock.now().toISOString(), version: before.version + 1 }
}

/** The site has something to do, and so long. */
export function forTheSite({ clock }: Pick<Needs, 'clock'>, { generation }: Volume): Partial<Volume> {
  return { generation: generation + 1, deadline: new Date(clock.now().getTime() + SITE_SECONDS * 1000).toISOString() }
}
