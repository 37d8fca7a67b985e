import { UserError } from '../../contract/api/faults.ts'
import type { User } from '../../contract/identity.ts'
import { readJson } from '../api/body.ts'
import { tried } from './authenticate.ts'
import { newId, type Ground, type Identity } from './context.ts'
import { credentialsOf, deleteCredential } from './credentials.ts'
import { notFound, unauthorized } from './errors.ts'
import { deleteGrants, grantsOf } from './grants.ts'
import { passwordChange, userCreation, userUpdate } from './input.ts'
import { groupsOf, removeMembers } from './members.ts'
import { createNamed, deleteNamed, getNamed, listNamed, updateNamed } from './named.ts'
import { projectsOf } from './own.ts'
import { matching } from './query.ts'
import { requireAdmin, requireReader } from './rights.ts'
import { hashSecret } from './secret.ts'
import { collectionView, projectView, userView } from './views.ts'

export function userRoutes(app: Identity, ground: Ground): void {
  const { table } = ground
  const path = '/identity/v3/users'
  app.get(path, async (call) => {
    requireReader(call, 'identity:list_users')
    const users = matching(call, await listNamed(table, 'user'))
    return call.json(
      collectionView(
        call.var.base,
        'users',
        'users',
        users.map((each) => userView(call.var.base, each)),
      ),
    )
  })
  app.post(path, async (call) => {
    const by = requireAdmin(call, 'identity:create_user')
    const created = await newUser(ground, userCreation.parse(await readJson(call)).user)
    ground.log.info({ user: created.id, name: created.name, by: by.user.id }, 'user created')
    return call.json({ user: userView(call.var.base, created) }, 201)
  })
  app.get(`${path}/:user`, async (call) => {
    const id = call.req.param('user')
    requireReader(call, 'identity:get_user', id)
    return call.json({ user: userView(call.var.base, await requireUser(ground, id)) })
  })
  app.patch(`${path}/:user`, async (call) => {
    const by = requireAdmin(call, 'identity:update_user')
    const after = await changeUser(ground, call.req.param('user'), userUpdate.parse(await readJson(call)).user)
    ground.log.info({ user: after.id, name: after.name, by: by.user.id }, 'user changed')
    return call.json({ user: userView(call.var.base, after) })
  })
  app.delete(`${path}/:user`, async (call) => {
    const by = requireAdmin(call, 'identity:delete_user')
    const user = await requireUser(ground, call.req.param('user'))
    await deleteNamed(table, 'user', user)
    await deleteGrants(table, await grantsOf(table, user.id))
    await removeMembers(table, await groupsOf(table, user.id))
    for (const credential of await credentialsOf(table, user.id)) await deleteCredential(table, credential)
    ground.log.info({ user: user.id, name: user.name, by: by.user.id }, 'user deleted')
    return call.body(null, 204)
  })
  app.post(`${path}/:user/password`, async (call) => {
    const { original_password: original, password } = passwordChange.parse(await readJson(call)).user
    const user = await getNamed(table, 'user', call.req.param('user'))
    if (!(await tried(ground, user?.id, original, user?.password_hash ?? null)) || !user?.enabled) throw unauthorized()
    await changeUser(ground, user.id, { password })
    ground.log.info({ user: user.id, name: user.name }, 'password changed')
    return call.body(null, 204)
  })
  app.get(`${path}/:user/projects`, async (call) => {
    const { base } = call.var
    const id = call.req.param('user')
    requireReader(call, 'identity:list_user_projects', id)
    const projects = await projectsOf(ground, (await requireUser(ground, id)).id)
    const shown = projects.map((project) => projectView(base, project))
    return call.json(collectionView(base, `users/${id}/projects`, 'projects', shown))
  })
}

export async function requireUser({ table }: Pick<Ground, 'table'>, id: string): Promise<User> {
  const user = await getNamed(table, 'user', id)
  if (!user) throw notFound('user', id)
  return user
}

type Given = Partial<ReturnType<typeof userCreation.parse>['user']>

async function newUser(ground: Ground, given: Given & { name: string }): Promise<User> {
  await checkProject(ground, given.default_project_id)
  const user: User = {
    id: newId(ground),
    name: given.name,
    enabled: given.enabled ?? true,
    description: given.description ?? null,
    email: given.email ?? null,
    default_project_id: given.default_project_id ?? null,
    password_hash: given.password ? await hashSecret(given.password) : null,
    tokens_since: null,
    created_at: ground.clock.now().toISOString(),
    version: 1,
  }
  await createNamed(ground.table, 'user', user)
  return user
}

/** With the password, or when they are disabled, all tokens of the user are void: somebody else may hold them. */
async function changeUser(
  ground: Ground,
  id: string,
  { password, domain_id: _domain, ...given }: Given,
): Promise<User> {
  await checkProject(ground, given.default_project_id)
  const hash = password === undefined ? undefined : password && (await hashSecret(password))
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const after = await updateNamed(ground.table, 'user', id, (before) => {
    const voids = hash !== undefined || (given.enabled === false && before.enabled)
    return {
      ...before,
      ...changes,
      ...(hash === undefined ? {} : { password_hash: hash || null }),
      ...(voids ? { tokens_since: ground.clock.now().toISOString() } : {}),
    }
  })
  if (!after) throw notFound('user', id)
  return after
}

async function checkProject({ table }: Ground, id: string | null | undefined): Promise<void> {
  if (id && !(await getNamed(table, 'project', id)))
    throw new UserError(400, `default_project_id: there is no project ${id}.`)
}
