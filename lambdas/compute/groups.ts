import { UserError } from '../../contract/api/faults.ts'
import type { Server, ServerGroup } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform, Write } from '../platform.ts'
import { placeOf } from './group-rules.ts'
import { groupStore } from './store.ts'

/** Server groups know where their members are. That is written in one transaction with what makes it so: two servers that are claimed at once can't
 * both be the first in a place. */

type Needs = Pick<Platform, 'table' | 'clock'>
type Members = ServerGroup['members']

export const MOST_MEMBERS = 256

/** A write, on condition that nobody changed the group meanwhile. */
function members(clock: Needs['clock'], group: ServerGroup, after: Members): Write[] {
  const updated_at = clock.now().toISOString()
  return groupStore.writes(group, { ...group, members: after, updated_at, version: group.version + 1 })
}

async function groupOf({ table }: Needs, { group }: Pick<Server, 'group'>): Promise<ServerGroup | undefined> {
  return group ? groupStore.get(table, group) : undefined
}

export async function joining(needs: Needs, server: Server): Promise<Write[]> {
  const group = await groupOf(needs, server)
  if (!group) return []
  if (group.members.length === MOST_MEMBERS)
    throw new UserError(403, `Quota exceeded, too many servers in group: ${group.name} has ${MOST_MEMBERS}.`)
  return members(needs.clock, group, [...group.members, { server: server.uuid, place: null }])
}

/** The server gets this node. */
export async function placement(needs: Needs, server: Server, node: Node): Promise<Write[]> {
  const group = await groupOf(needs, server)
  if (!group) return []
  const place = placeOf(node, group.scope)
  const others = group.members.filter((each) => each.server !== server.uuid)
  return members(needs.clock, group, [...others, { server: server.uuid, place }])
}

/** It has none any more. */
export async function displacement(needs: Needs, server: Server): Promise<Write[]> {
  const group = await groupOf(needs, server)
  const own = group?.members.find((each) => each.server === server.uuid)
  if (!group || !own || own.place === null) return []
  return members(
    needs.clock,
    group,
    group.members.map((each) => (each === own ? { ...own, place: null } : each)),
  )
}

export async function leaving(needs: Needs, server: Server): Promise<Write[]> {
  const group = await groupOf(needs, server)
  if (!group?.members.some((each) => each.server === server.uuid)) return []
  return members(
    needs.clock,
    group,
    group.members.filter((each) => each.server !== server.uuid),
  )
}
