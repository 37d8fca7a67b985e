import { DOMAIN, type Target } from '../../contract/identity.ts'
import type { Ground, Identity } from './context.ts'
import { allGrants, type Grant, grantsOf, grantsOn } from './grants.ts'
import { grantsReaching, membersOf } from './members.ts'
import { getNamed } from './named.ts'
import { requireReader } from './rights.ts'
import { effectiveRoles, getRole } from './roles.ts'
import { collectionView, domainReference } from './views.ts'

/** GET /v3/role_assignments: every grant, or those that its filters keep; `effective` adds the implied roles and puts a group's members
 * in its place, `include_names` names. */
export function assignmentRoutes(app: Identity, ground: Ground): void {
  app.get('/identity/v3/role_assignments', async (call) => {
    // Read once, and in one way: of a name that comes twice, once of them escaped, two readings may see one each.
    const query = call.req.query()
    const { 'role.id': role, 'user.id': user } = query
    requireReader(call, 'identity:list_role_assignments', user)
    const asked = await candidates(query, ground)
    const expanded = set(query, 'effective')
      ? (await Promise.all(asked.map((grant) => implied(ground, grant)))).flat()
      : asked
    const kept = expanded.filter(
      (grant) => (role === undefined || grant.role === role) && (user === undefined || grant.user === user),
    )
    const { base } = call.var
    const shown = await Promise.all(kept.map((grant) => view(ground, base, grant, set(query, 'include_names'))))
    return call.json(collectionView(base, 'role_assignments', 'role_assignments', shown))
  })
}

type Query = Partial<Record<string, string>>

async function candidates(query: Query, { table }: Ground): Promise<Grant[]> {
  const { 'user.id': user, 'group.id': group } = query
  const { 'scope.project.id': project, 'scope.system': system, 'scope.domain.id': domain } = query
  if (domain !== undefined && domain !== DOMAIN) return []
  const target: Target | undefined =
    project === undefined
      ? system === undefined
        ? domain && { kind: 'domain' as const }
        : { kind: 'system' }
      : { kind: 'project', id: project }
  if (group !== undefined) return grantsOf(table, group, target || undefined)
  if (user !== undefined) return (set(query, 'effective') ? grantsReaching : grantsOf)(table, user, target || undefined)
  return target ? grantsOn(table, target) : allGrants(table)
}

async function implied({ table }: Ground, grant: Grant): Promise<Grant[]> {
  const { user, group, target } = grant
  const holders = group ? (await membersOf(table, user)).map((member) => member.user) : [user]
  const roles = await effectiveRoles(table, [grant.role])
  return holders.flatMap((holder) => roles.map(({ id }) => ({ user: holder, target, role: id })))
}

async function view({ table }: Ground, base: string, { user, group, target, role }: Grant, named: boolean) {
  const kind = group ? 'group' : 'user'
  const on =
    target.kind === 'project' ? `projects/${target.id}` : target.kind === 'domain' ? `domains/${DOMAIN}` : 'system'
  const links = { assignment: `${base}/identity/v3/${on}/${kind}s/${user}/roles/${role}` }
  const nameOf = async (name: Promise<{ name: string } | undefined>) =>
    named ? { name: (await name)?.name ?? '' } : {}
  const inDomain = named ? { domain: domainReference } : {}
  return {
    links,
    [kind]: { id: user, ...(await nameOf(getNamed(table, kind, user))), ...inDomain },
    role: { id: role, ...(await nameOf(getRole(table, role))) },
    scope:
      target.kind === 'project'
        ? { project: { id: target.id, ...(await nameOf(getNamed(table, 'project', target.id))), ...inDomain } }
        : target.kind === 'domain'
          ? { domain: named ? domainReference : { id: DOMAIN } }
          : { system: { all: true } },
  }
}

/** Keystone's flags are set by being there, unless they are 0 or false. */
function set(query: Query, flag: string): boolean {
  const value = query[flag]
  return value !== undefined && !['0', 'false'].includes(value.toLowerCase())
}
