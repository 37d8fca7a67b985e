import type { Server } from '../../contract/compute.ts'
import type { Table, Write } from '../platform.ts'
import { items } from '../store/paging.ts'

/** What is kept of servers that are deleted, for those who are billed by what they had. */

export type PastServer = Pick<
  Server,
  'uuid' | 'name' | 'project_id' | 'flavor' | 'created_at' | 'launched_at' | 'state'
> & { ended_at: string }

/** A year's bill, and a month to ask for it. */
const KEPT_SECONDS = 400 * 86_400

/** To be written with its end; nothing of one that never ran. */
export function keptOf(server: Server, now: Date): Write[] {
  const { uuid, name, project_id, flavor, created_at, launched_at, state } = server
  if (launched_at === null) return []
  const ended_at = now.toISOString()
  const value: PastServer = { uuid, name, project_id, flavor, created_at, launched_at, state, ended_at }
  const at = (pk: string) => ({ pk, sk: `${ended_at}#${uuid}` })
  const by = { all: at('past-servers'), owner: at(pastOf(project_id)) }
  const expires = Math.ceil(now.getTime() / 1000) + KEPT_SECONDS
  return [{ put: { pk: `past-server#${uuid}`, sk: 'past-server', version: 1, value, by, expires } }]
}

const pastOf = (project: string): string => `past-servers-for#${project}`

/** Of a project, or of all, those that ended since then: the latest first, so that no more is read than is asked about. */
export async function pastServers(table: Table, since: Date, project?: string): Promise<PastServer[]> {
  const list =
    project === undefined
      ? { index: 'all' as const, pk: 'past-servers' }
      : { index: 'owner' as const, pk: pastOf(project) }
  const found: PastServer[] = []
  for await (const { value } of items(table, { ...list, descending: true })) {
    const past = value as PastServer
    if (Date.parse(past.ended_at) < since.getTime()) break
    found.push(past)
  }
  return found
}
