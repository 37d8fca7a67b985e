import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import { type Amounts, charging } from '../openstack/quotas.ts'
import { ConflictError, keyOf, type Platform, type Write } from '../platform.ts'
import { displacement, joining, leaving } from './groups.ts'
import { keptOf } from './past-servers.ts'
import { serverStore } from './store.ts'

/** Servers come and go with what is counted of them: their project's quotas, and the members of their group. */

type Needs = Pick<Platform, 'table' | 'clock'>

export function amountsOf({ vcpus, ram }: Pick<Server['flavor'], 'vcpus' | 'ram'>, count: number): Amounts {
  return { instances: count, cores: count * vcpus, ram: count * ram }
}

export async function writeServer(needs: Needs, server: Server): Promise<void> {
  const table = charging(needs.table, server.project_id, amountsOf(server.flavor, 1))
  await withGroup(
    server,
    async () => [...serverStore.writes(undefined, server), ...(await joining(needs, server))],
    table,
  )
}

/** False: somebody changed it meanwhile. */
export async function removeServer(needs: Needs, server: Server): Promise<boolean> {
  const table = charging(needs.table, server.project_id, amountsOf(server.flavor, -1))
  const own = [...serverStore.writes(server, undefined), ...keptOf(server, needs.clock.now())]
  return withGroup(server, async () => [...own, ...(await leaving(needs, server))], table)
}

/** Its group is told that it has no node any more. */
export async function leavePlace(needs: Needs, server: Server): Promise<void> {
  await withGroup(server, () => displacement(needs, server), needs.table)
}

const ATTEMPTS = 30

/** The server's own write is the first. False: that one is not as it was. Others change the group all the time. */
async function withGroup(
  server: Server,
  writes: () => Promise<Write[]>,
  table: Pick<Platform['table'], 'write'>,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const wanted = await writes()
    if (wanted.length === 0) return true
    try {
      await table.write(wanted)
      return true
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      const [first] = wanted
      const isOwn = error.index === 0 && first !== undefined && isServer(first, server)
      if (isOwn) return false
    }
  }
  throw new UserError(409, `The group of server ${server.uuid} is being changed by many at once, please retry.`)
}

function isServer(write: Write, { uuid }: Server): boolean {
  return keyOf(write).pk === serverStore.key(uuid).pk
}
