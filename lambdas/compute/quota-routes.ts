import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { type Amounts, DEFAULTS, limitsOf, type Resource, setLimits, usageOf } from '../openstack/quotas.ts'
import { requireAdmin, seesAll } from '../openstack/rights.ts'
import { PATH } from './path.ts'

const own = [
  'instances',
  'cores',
  'ram',
  'key_pairs',
  'metadata_items',
  'server_groups',
  'server_group_members',
] as const satisfies Resource[]
/** What Nova's clients still send and show, and what there is none of here. */
const gone = { injected_files: 0, injected_file_content_bytes: 0, injected_file_path_bytes: 0 } as const
const networks = { fixed_ips: -1, floating_ips: -1, security_groups: -1, security_group_rules: -1 } as const

const limit = z.coerce
  .number()
  .int()
  .min(-1)
  .max(2 ** 31 - 1)
const update = z.object({
  quota_set: z.looseObject({
    ...Object.fromEntries(own.map((name) => [name, limit.optional()])),
    force: z.coerce.boolean().optional(),
  }),
})
const classUpdate = z.object({ quota_class_set: update.shape.quota_set })

/** Nova's quota sets. What is enforced is written in lambdas/openstack/quotas.ts. */
export function quotaRoutes(app: Service, { table, log }: Ground): void {
  const path = `${PATH}/os-quota-sets/:project`
  app.get(path, async (call) => {
    requireSeen(call, call.req.param('project'))
    return call.json({ quota_set: shown(call, await limitsOf(table, call.req.param('project'))) })
  })
  app.get(`${path}/defaults`, async (call) =>
    call.json({ quota_set: { ...shown(call, await limitsOf(table, DEFAULTS)), id: call.req.param('project') } }),
  )
  app.get(`${path}/detail`, async (call) => {
    const project = call.req.param('project')
    requireSeen(call, project)
    const [limits, used] = await Promise.all([limitsOf(table, project), usageOf(table, project)])
    const details = Object.entries(shown(call, limits)).map(([name, amount]) => [
      name,
      name === 'id' ? amount : { limit: amount, in_use: used[name as Resource] ?? 0, reserved: 0 },
    ])
    return call.json({ quota_set: Object.fromEntries(details) })
  })
  app.put(path, async (call) => {
    requireAdmin(call, 'os_compute_api:os-quota-sets:update')
    const project = call.req.param('project')
    const { quota_set: given } = update.parse(await readJson(call))
    const wanted = amountsOf(given)
    if (given.force !== true) await requireAboveUse(project, wanted)
    await setLimits(table, project, wanted)
    log.info({ project, ...wanted, user: call.var.caller.user?.id }, 'quotas changed')
    const { id: _id, ...set } = shown(call, await limitsOf(table, project))
    return call.json({ quota_set: set })
  })
  app.delete(path, async (call) => {
    requireAdmin(call, 'os_compute_api:os-quota-sets:delete')
    await setLimits(table, call.req.param('project'), Object.fromEntries(own.map((name) => [name, undefined])))
    return call.body(null, 202)
  })
  app.get(`${PATH}/os-quota-class-sets/:class`, async (call) =>
    call.json({
      quota_class_set: { ...shown(call, await limitsOf(table, DEFAULTS)), id: call.req.param('class') },
    }),
  )
  app.put(`${PATH}/os-quota-class-sets/:class`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-quota-class-sets:update')
    if (call.req.param('class') !== 'default')
      throw new UserError(400, 'Quota classes: there is one, default, whose limits hold where a project has none.')
    await setLimits(table, DEFAULTS, amountsOf(classUpdate.parse(await readJson(call)).quota_class_set))
    const { id: _id, ...set } = shown(call, await limitsOf(table, DEFAULTS))
    return call.json({ quota_class_set: set })
  })
  app.get(`${PATH}/limits`, async (call) => {
    const project = call.req.query('tenant_id') ?? call.var.caller.project?.id ?? ''
    requireSeen(call, project)
    const [limits, used] = await Promise.all([limitsOf(table, project), usageOf(table, project)])
    const absolute = {
      maxTotalInstances: limits.instances,
      maxTotalCores: limits.cores,
      maxTotalRAMSize: limits.ram,
      maxTotalKeypairs: limits.key_pairs,
      maxServerMeta: limits.metadata_items,
      maxServerGroups: limits.server_groups,
      maxServerGroupMembers: limits.server_group_members,
      totalInstancesUsed: used.instances,
      totalCoresUsed: used.cores,
      totalRAMUsed: used.ram,
      totalServerGroupsUsed: used.server_groups,
    }
    return call.json({ limits: { rate: [], absolute } })
  })

  /** A limit below what is in use is a mistake more often than not: Nova wants `force` for it. */
  async function requireAboveUse(project: string, wanted: Amounts): Promise<void> {
    const used = await usageOf(table, project)
    for (const [name, amount] of Object.entries(wanted) as Array<[Resource, number]>)
      if (amount >= 0 && amount < used[name])
        throw new UserError(
          400,
          `Quota limit ${amount} for ${name} must be greater than or equal to already used and reserved ${used[name]}.`,
        )
  }
}

function shown(call: Call, limits: Record<Resource, number>): Record<string, number | string> {
  const { minor } = call.var
  return {
    id: call.req.param('project') ?? 'default',
    ...Object.fromEntries(own.map((name) => [name, limits[name]])),
    ...(minor < 36 ? networks : {}),
    ...(minor < 57 ? gone : {}),
  }
}

function amountsOf(given: Record<string, unknown>): Amounts {
  return Object.fromEntries(own.flatMap((name) => (typeof given[name] === 'number' ? [[name, given[name]]] : [])))
}

function requireSeen(call: Call, project: string): void {
  if (project !== call.var.caller.project?.id && !seesAll(call))
    throw new UserError(403, "Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.")
}
