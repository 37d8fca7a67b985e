import { UserError } from '../../contract/api/faults.ts'
import type { Target } from '../../contract/identity.ts'
import { ConflictError, type Key, type Table } from '../platform.ts'
import { all } from '../store/paging.ts'
import { type Grant, grantsOf } from './grants.ts'
import { presence } from './named.ts'

/** Who is in which group. A group's roles are its members'. */

interface Membership {
  user: string
  group: string
}

const key = ({ user, group }: Membership): Key => ({ pk: `groups-of#${user}`, sk: group })

export async function addMember(table: Table, member: Membership): Promise<void> {
  const by = { owner: { pk: `members-of#${member.group}`, sk: member.user } }
  const put = { ...key(member), version: 1, value: member, by }
  await table
    .write([{ put }, presence('user', member.user), presence('group', member.group)])
    .catch((error: unknown) => {
      throw error instanceof ConflictError
        ? new UserError(409, `The user ${member.user} or the group ${member.group} is being deleted.`)
        : error
    })
}

export async function isMember(table: Table, member: Membership): Promise<boolean> {
  return (await table.get(key(member))) !== undefined
}

export async function removeMembers(table: Table, members: readonly Membership[]): Promise<void> {
  for (let at = 0; at < members.length; at += 100)
    await table.write(members.slice(at, at + 100).map((member) => ({ delete: key(member) })))
}

/** As it is now, for what depends on it. */
export function groupsOf(table: Table, user: string): Promise<Membership[]> {
  return all<Membership>(table, { pk: `groups-of#${user}` })
}

export function membersOf(table: Table, group: string): Promise<Membership[]> {
  return all<Membership>(table, { index: 'owner', pk: `members-of#${group}` })
}

/** A user's own roles and those that their groups have. */
export async function grantsReaching(table: Table, user: string, on?: Target): Promise<Grant[]> {
  const groups = await groupsOf(table, user)
  const grants = await Promise.all([user, ...groups.map(({ group }) => group)].map((who) => grantsOf(table, who, on)))
  return grants.flat()
}
