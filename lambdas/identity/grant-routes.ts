import { DOMAIN, type Target } from '../../contract/identity.ts'
import type { Call, Ground, Identity } from './context.ts'
import { notFound } from './errors.ts'
import { addGrant, deleteGrants, type Grant, grantsOf, hasGrant } from './grants.ts'
import { requireGroup } from './groups.ts'
import { requireProject } from './projects.ts'
import { requireAdmin, requireReader } from './rights.ts'
import { requireRole } from './role-routes.ts'
import { getRole } from './roles.ts'
import { requireUser } from './users.ts'
import { collectionView, roleView } from './views.ts'

/** Roles on projects, on the domain and on the system: the same four methods for users and groups under three addresses. */
const places = ['projects/:target', 'domains/:target', 'system'] as const

export function grantRoutes(app: Identity, ground: Ground): void {
  for (const holders of places.flatMap((place) => [`${place}/users/:user`, `${place}/groups/:group`])) {
    const roles = `/identity/v3/${holders}/roles`
    app.get(roles, (call) => listed(call, ground))
    app.put(`${roles}/:role`, async (call) => {
      const by = requireAdmin(call, 'identity:create_grant')
      const grant = await grantOf(call, ground)
      await addGrant(ground.table, grant)
      ground.log.info({ ...grant, by: by.user.id }, 'role granted')
      return call.body(null, 204)
    })
    app.get(`${roles}/:role`, async (call) => {
      requireReader(call, 'identity:check_grant')
      await requireGrant(ground, await grantOf(call, ground))
      return call.body(null, 204)
    })
    app.delete(`${roles}/:role`, async (call) => {
      const by = requireAdmin(call, 'identity:revoke_grant')
      const grant = await grantOf(call, ground)
      await requireGrant(ground, grant)
      await deleteGrants(ground.table, [grant])
      ground.log.info({ ...grant, by: by.user.id }, 'role taken back')
      return call.body(null, 204)
    })
  }
}

async function listed(call: Call, ground: Ground): Promise<Response> {
  requireReader(call, 'identity:list_grants')
  const { base } = call.var
  const holder = await holderOf(call, ground)
  const grants = await grantsOf(ground.table, holder.user, await targetOf(call, ground))
  const roles = await Promise.all(grants.map(({ role }) => getRole(ground.table, role)))
  const shown = roles.filter((role) => role !== undefined).map((role) => roleView(base, role))
  return call.json(collectionView(base, call.req.path.replace('/identity/v3/', ''), 'roles', shown))
}

/** Everything in its address exists. */
async function grantOf(call: Call, ground: Ground): Promise<Grant> {
  const [holder, target, role] = await Promise.all([
    holderOf(call, ground),
    targetOf(call, ground),
    requireRole(ground, call.req.param('role') ?? ''),
  ])
  return { ...holder, target, role: role.id }
}

async function holderOf(call: Call, ground: Ground): Promise<Pick<Grant, 'user' | 'group'>> {
  const group = call.req.param('group')
  if (group !== undefined) return { user: (await requireGroup(ground, group)).id, group: true }
  return { user: (await requireUser(ground, call.req.param('user') ?? '')).id }
}

async function targetOf(call: Call, ground: Ground): Promise<Target> {
  const id = call.req.param('target')
  if (id === undefined) return { kind: 'system' }
  if (call.req.path.startsWith('/identity/v3/projects/'))
    return { kind: 'project', id: (await requireProject(ground, id)).id }
  if (id !== DOMAIN) throw notFound('domain', id)
  return { kind: 'domain' }
}

async function requireGrant({ table }: Ground, grant: Grant): Promise<void> {
  if (!(await hasGrant(table, grant))) throw notFound('role assignment with role', grant.role)
}
