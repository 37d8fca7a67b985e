import type { Group } from '../../contract/identity.ts'
import { readJson } from '../api/body.ts'
import { type Call, newId, type Ground, type Identity } from './context.ts'
import { notFound } from './errors.ts'
import { deleteGrants, grantsOf } from './grants.ts'
import { groupCreation, groupUpdate } from './input.ts'
import { addMember, groupsOf, isMember, membersOf, removeMembers } from './members.ts'
import { createNamed, deleteNamed, getNamed, listNamed, updateNamed } from './named.ts'
import { matching } from './query.ts'
import { requireAdmin, requireReader } from './rights.ts'
import { requireUser } from './users.ts'
import { collectionView, groupView, userView } from './views.ts'

/** Groups of users: to give many people the same roles at once. */
export function groupRoutes(app: Identity, ground: Ground): void {
  const { table, clock, log } = ground
  const path = '/identity/v3/groups'
  app.get(path, async (call) => {
    requireReader(call, 'identity:list_groups')
    return call.json(listed(call, 'groups', matching(call, await listNamed(table, 'group'))))
  })
  app.post(path, async (call) => {
    const by = requireAdmin(call, 'identity:create_group')
    const { name, description } = groupCreation.parse(await readJson(call)).group
    const created_at = clock.now().toISOString()
    const group: Group = { id: newId(ground), name, description: description ?? '', created_at, version: 1 }
    await createNamed(table, 'group', group)
    log.info({ group: group.id, name, by: by.user.id }, 'group created')
    return call.json({ group: groupView(call.var.base, group) }, 201)
  })
  app.get(`${path}/:group`, async (call) => {
    requireReader(call, 'identity:get_group')
    return call.json({ group: groupView(call.var.base, await requireGroup(ground, call.req.param('group'))) })
  })
  app.patch(`${path}/:group`, async (call) => {
    const by = requireAdmin(call, 'identity:update_group')
    const id = call.req.param('group')
    const { name, description } = groupUpdate.parse(await readJson(call)).group
    const after = await updateNamed(table, 'group', id, (before) => ({
      ...before,
      name: name ?? before.name,
      description: description === undefined ? before.description : (description ?? ''),
    }))
    if (!after) throw notFound('group', id)
    log.info({ group: id, name: after.name, by: by.user.id }, 'group changed')
    return call.json({ group: groupView(call.var.base, after) })
  })
  app.delete(`${path}/:group`, async (call) => {
    const by = requireAdmin(call, 'identity:delete_group')
    const group = await requireGroup(ground, call.req.param('group'))
    const empty = async (): Promise<void> => {
      await deleteGrants(table, await grantsOf(table, group.id))
      await removeMembers(table, await membersOf(table, group.id))
    }
    await empty() // first: of a group that is gone nobody could take a role back
    await deleteNamed(table, 'group', group)
    await empty() // and what came meanwhile
    log.info({ group: group.id, name: group.name, by: by.user.id }, 'group deleted')
    return call.body(null, 204)
  })
  membershipRoutes(app, ground)
}

function membershipRoutes(app: Identity, ground: Ground): void {
  const { table, log } = ground
  const users = '/identity/v3/groups/:group/users'
  app.get(users, async (call) => {
    requireReader(call, 'identity:list_users_in_group')
    const { id } = await requireGroup(ground, call.req.param('group'))
    const members = await Promise.all((await membersOf(table, id)).map(({ user }) => getNamed(table, 'user', user)))
    const shown = members.filter((each) => each !== undefined).map((each) => userView(call.var.base, each))
    return call.json(collectionView(call.var.base, `groups/${id}/users`, 'users', shown))
  })
  app.put(`${users}/:user`, async (call) => {
    const by = requireAdmin(call, 'identity:add_user_to_group')
    const member = await memberOf(call, ground)
    await addMember(table, member)
    log.info({ ...member, by: by.user.id }, 'user added to group')
    return call.body(null, 204)
  })
  app.get(`${users}/:user`, async (call) => {
    requireReader(call, 'identity:check_user_in_group', call.req.param('user'))
    await requireMember(ground, await memberOf(call, ground))
    return call.body(null, 204)
  })
  app.delete(`${users}/:user`, async (call) => {
    const by = requireAdmin(call, 'identity:remove_user_from_group')
    const member = await memberOf(call, ground)
    await requireMember(ground, member)
    await removeMembers(table, [member])
    log.info({ ...member, by: by.user.id }, 'user removed from group')
    return call.body(null, 204)
  })
  app.get('/identity/v3/users/:user/groups', async (call) => {
    requireReader(call, 'identity:list_groups_for_user', call.req.param('user'))
    const { id } = await requireUser(ground, call.req.param('user'))
    const groups = await Promise.all((await groupsOf(table, id)).map(({ group }) => getNamed(table, 'group', group)))
    return call.json(
      listed(
        call,
        `users/${id}/groups`,
        groups.filter((each) => each !== undefined),
      ),
    )
  })
}

export async function requireGroup({ table }: Pick<Ground, 'table'>, id: string): Promise<Group> {
  const group = await getNamed(table, 'group', id)
  if (!group) throw notFound('group', id)
  return group
}

async function memberOf(call: Call, ground: Ground): Promise<{ user: string; group: string }> {
  const [group, user] = await Promise.all([
    requireGroup(ground, call.req.param('group') ?? ''),
    requireUser(ground, call.req.param('user') ?? ''),
  ])
  return { user: user.id, group: group.id }
}

async function requireMember({ table }: Ground, member: { user: string; group: string }): Promise<void> {
  if (!(await isMember(table, member))) throw notFound('user in the group', member.user)
}

function listed(call: Call, path: string, groups: Group[]) {
  const { base } = call.var
  return collectionView(
    base,
    path,
    'groups',
    groups.map((each) => groupView(base, each)),
  )
}
