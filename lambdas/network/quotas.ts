import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { type Amounts, DEFAULTS, limitsOf, type Resource, setLimits, usageOf } from '../openstack/quotas.ts'
import { requireAdmin, seesAll } from '../openstack/rights.ts'
import { PATH } from './networks.ts'

const own = ['network', 'subnet', 'port'] as const satisfies Resource[]
/** What there is none of here. */
const absent = {
  router: 0,
  floatingip: 0,
  security_group: -1,
  security_group_rule: -1,
  subnetpool: 0,
  rbac_policy: 0,
} as const

const limit = z.coerce
  .number()
  .int()
  .min(-1)
  .max(2 ** 31 - 1)
const update = z.object({ quota: z.looseObject(Object.fromEntries(own.map((name) => [name, limit.optional()]))) })

/** Neutron's quotas. What is enforced is written in lambdas/openstack/quotas.ts. */
export function quotaRoutes(app: Service, { table, log }: Ground): void {
  const path = `${PATH}/quotas/:project`
  const shown = async (project: string) => {
    const limits = await limitsOf(table, project)
    return { ...Object.fromEntries(own.map((name) => [name, limits[name]])), ...absent }
  }
  app.get(`${PATH}/quotas/tenant`, (call) => {
    const project = call.var.caller.project?.id ?? null
    return call.json({ tenant: { tenant_id: project, project_id: project } })
  })
  app.get(path, async (call) => {
    requireSeen(call, call.req.param('project'))
    return call.json({ quota: await shown(call.req.param('project')) })
  })
  app.get(`${path}/default`, async (call) => call.json({ quota: await shown(DEFAULTS) }))
  const details = async (call: Call): Promise<Response> => {
    const project = call.req.param('project') ?? ''
    requireSeen(call, project)
    const [limits, used] = await Promise.all([shown(project), usageOf(table, project)])
    const each = Object.entries(limits).map(([name, amount]) => [
      name,
      { limit: amount, used: used[name as Resource] ?? 0, reserved: 0 },
    ])
    return call.json({ quota: Object.fromEntries(each) })
  }
  app.get(`${path}/details`, details)
  app.get(`${path}/details.json`, details)
  app.put(path, async (call) => {
    requireAdmin(call, 'update_quota')
    const project = call.req.param('project')
    const { quota } = update.parse(await readJson(call))
    const wanted: Amounts = Object.fromEntries(
      own.flatMap((name) => (quota[name] === undefined ? [] : [[name, quota[name]]])),
    )
    await setLimits(table, project, wanted)
    log.info({ project, ...wanted, user: call.var.caller.user?.id }, 'quotas changed')
    return call.json({ quota: await shown(project) })
  })
  app.delete(path, async (call) => {
    requireAdmin(call, 'delete_quota')
    const nothing = Object.fromEntries(own.map((name) => [name, undefined]))
    await setLimits(table, call.req.param('project'), nothing)
    return call.body(null, 204)
  })
}

function requireSeen(call: Call, project: string): void {
  if (project !== call.var.caller.project?.id && !seesAll(call))
    throw new UserError(403, "Policy doesn't allow get_quota to be performed.")
}
