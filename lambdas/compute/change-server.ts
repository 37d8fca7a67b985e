import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { Platform } from '../platform.ts'
import { logged } from './action-log.ts'
import { serverStore } from './store.ts'

const ATTEMPTS = 20

/** Reads, decides, writes if nobody wrote meanwhile, else anew. `decide` returns undefined for no change. Undefined: no such server. */
export async function changeServer(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  uuid: string,
  decide: (server: Server) => Partial<Server> | undefined,
): Promise<Server | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await serverStore.get(table, uuid)
    if (!before) return undefined
    const changes = decide(before)
    if (!changes) return before
    const after = changed({ clock }, before, changes)
    if (await serverStore.save(table, before, after)) return after
  }
  throw new UserError(409, `Server ${uuid} is being changed by many at once, please retry.`)
}

export function changed({ clock }: Pick<Platform, 'clock'>, before: Server, changes: Partial<Server>): Server {
  const now = clock.now().toISOString()
  return logged(before, { ...before, ...changes, updated_at: now, version: before.version + 1 }, now)
}
