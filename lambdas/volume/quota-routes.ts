import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { DEFAULTS, limitsOf, setLimits, usageOf } from '../openstack/quotas.ts'
import { requireAdmin, seesAll } from '../openstack/rights.ts'
import { PATH } from './path.ts'

/** What Cinder's clients show, and what is not limited here. */
const unlimited = { gigabytes: -1, snapshots: -1, per_volume_gigabytes: -1, backups: 0, backup_gigabytes: 0, groups: 0 }
const update = z.object({
  quota_set: z.looseObject({
    volumes: z.coerce
      .number()
      .int()
      .min(-1)
      .max(2 ** 31 - 1)
      .optional(),
  }),
})

/** Cinder's quota sets: volumes are counted (lambdas/openstack/quotas.ts). */
export function quotaRoutes(app: Service, { table, log }: Ground): void {
  const path = `${PATH}/os-quota-sets/:project`
  const shown = async (project: string) => ({ volumes: (await limitsOf(table, project)).volumes, ...unlimited })
  app.get(`${path}/defaults`, async (call) =>
    call.json({ quota_set: { id: call.req.param('project'), ...(await shown(DEFAULTS)) } }),
  )
  app.get(path, async (call) => {
    const project = call.req.param('project')
    if (project !== call.var.caller.project?.id && !seesAll(call))
      throw new UserError(403, "Policy doesn't allow volume_extension:quotas:show to be performed.")
    const limits = await shown(project)
    if (call.req.query('usage')?.toLowerCase() !== 'true') return call.json({ quota_set: { id: project, ...limits } })
    const { volumes } = await usageOf(table, project)
    const used: Record<string, number> = { volumes }
    const each = Object.entries(limits).map(([name, limit]) => [
      name,
      { limit, in_use: used[name] ?? 0, reserved: 0, allocated: 0 },
    ])
    return call.json({ quota_set: { id: project, ...Object.fromEntries(each) } })
  })
  app.put(path, async (call) => {
    requireAdmin(call, 'volume_extension:quotas:update')
    const project = call.req.param('project')
    const { quota_set: given } = update.parse(await readJson(call))
    const strange = Object.keys(given).find((name) => name in unlimited && Number(given[name]) >= 0)
    if (strange !== undefined)
      throw new UserError(400, `${strange} is not limited here: of volumes it is how many that can be.`)
    if (given.volumes !== undefined) await setLimits(table, project, { volumes: given.volumes })
    log.info({ project, volumes: given.volumes, user: call.var.caller.user?.id }, 'quotas changed')
    return call.json({ quota_set: await shown(project) })
  })
  app.delete(path, async (call) => {
    requireAdmin(call, 'volume_extension:quotas:delete')
    await setLimits(table, call.req.param('project'), { volumes: undefined })
    return call.body(null, 200)
  })
}
