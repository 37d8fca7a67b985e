import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { groupPolicies, groupScopes, type ServerGroup } from '../../contract/compute.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { charging } from '../openstack/quotas.ts'
import { isAdmin, isTheirs, mayChange, projectOf, requireMember, seesAll } from '../openstack/rights.ts'
import { all } from '../store/paging.ts'
import { MOST_MEMBERS } from './groups.ts'
import { PATH } from './path.ts'
import { groupsFor, groupStore } from './store.ts'

const name = z.string().trim().min(1).max(255)
const rules = z.strictObject({
  max_server_per_host: z.coerce.number().int().min(1).max(MOST_MEMBERS).optional(),
  /** Ours: what members share or don't. */
  scope: z.enum(groupScopes).optional(),
})
const policy = z.enum(groupPolicies)
/** From 2.64 on one policy with rules, before that a list of one. */
const creation = z.object({
  server_group: z.union([
    z.strictObject({ name, policy, rules: rules.optional() }),
    z.strictObject({ name, policies: z.tuple([policy]) }),
  ]),
})

export function groupRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/os-server-groups`
  app.get(path, async (call) => {
    const whole = call.req.query('all_projects') !== undefined && isAdmin(call)
    const list = whole ? { index: 'all' as const, pk: 'server-groups' } : groupsFor(projectOf(call))
    const groups = await all<ServerGroup>(table, list)
    return call.json({ server_groups: groups.map((each) => view(call, each)) })
  })
  app.post(path, async (call) => {
    requireMember(call, 'os_compute_api:os-server-groups:create')
    const given = creation.parse(await readJson(call)).server_group
    const wanted = 'policies' in given ? given.policies[0] : given.policy
    const { max_server_per_host: most = 1, scope = 'rack' } = ('rules' in given && given.rules) || {}
    if (most > 1 && wanted !== 'anti-affinity')
      throw new UserError(400, 'Only anti-affinity policy supports the rule max_server_per_host.')
    const group: ServerGroup = {
      uuid: ids.uuid(),
      name: given.name,
      project_id: projectOf(call),
      user_id: call.var.caller.user?.id ?? '',
      policy: wanted,
      scope,
      most,
      members: [],
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await groupStore.save(charging(table, group.project_id, { server_groups: 1 }), undefined, group)
    log.info({ group: group.uuid, name: group.name, policy: group.policy, scope }, 'server group created')
    return call.json({ server_group: view(call, group) })
  })
  app.get(`${path}/:group`, async (call) =>
    call.json({ server_group: view(call, await groupOf(call, ground, call.req.param('group'))) }),
  )
  app.delete(`${path}/:group`, async (call) => {
    const group = await groupOf(call, ground, call.req.param('group'))
    if (!mayChange(call, group))
      throw new UserError(403, "Policy doesn't allow os_compute_api:os-server-groups:delete to be performed.")
    await groupStore.remove(charging(table, group.project_id, { server_groups: -1 }), group)
    return call.body(null, 204)
  })
}

/** One that the caller may see. */
export async function groupOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<ServerGroup> {
  const group = await groupStore.get(table, id)
  if (!group || !(isTheirs(call, group) || seesAll(call)))
    throw new UserError(404, `Instance group ${id.slice(0, 64)} could not be found.`)
  return group
}

function view(call: Call, { uuid, name, policy, scope, most, members, project_id, user_id }: ServerGroup) {
  const { minor } = call.var
  const rules = { ...(policy === 'anti-affinity' ? { max_server_per_host: most } : {}), scope }
  return {
    id: uuid,
    name,
    members: members.map(({ server }) => server),
    ...(minor >= 64 ? { policy, rules } : { policies: [policy], metadata: {} }),
    ...(minor >= 13 ? { project_id, user_id } : {}),
  }
}
