import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { DEFAULTS, limitsOf, type Resource, setLimits, usageOf } from '../openstack/quotas.ts'
import { requireAdmin, seesAll } from '../openstack/rights.ts'
import { PATH } from './path.ts'

const own = ['volumes', 'gigabytes', 'snapshots'] as const satisfies Resource[]
type Own = (typeof own)[number]
/** What Cinder's clients show, and what is not limited here, or isn't there. */
const others = { per_volume_gigabytes: -1, backups: 0, backup_gigabytes: 0, groups: 0 }

const limit = z.coerce
  .number()
  .int()
  .min(-1)
  .max(2 ** 31 - 1)
  .optional()
const given = z.looseObject({ volumes: limit, gigabytes: limit, snapshots: limit })
const update = z.object({ quota_set: given })
const classUpdate = z.object({ quota_class_set: given })

/** Cinder's quota sets: what counts is counted in lambdas/volume/counted.ts. */
export function quotaRoutes(app: Service, { table, log }: Ground): void {
  const path = `${PATH}/os-quota-sets/:project`
  const shown = async (project: string): Promise<Record<Own, number> & typeof others> => {
    const { volumes, gigabytes, snapshots } = await limitsOf(table, project)
    return { volumes, gigabytes, snapshots, ...others }
  }
  const set = async (call: Call, project: string, wanted: z.infer<typeof given>): Promise<void> => {
    const strange = Object.keys(wanted).find((name) => name in others && Number(wanted[name]) >= 0)
    if (strange !== undefined)
      throw new UserError(400, `${strange} is not limited here: of volumes ${own.join(', ')} are.`)
    const limits = Object.fromEntries(
      own.flatMap((name) => (wanted[name] === undefined ? [] : [[name, wanted[name]] as const])),
    )
    await setLimits(table, project, limits)
    log.info({ project, ...limits, user: call.var.caller.user?.id }, 'quotas changed')
  }
  app.get(`${path}/defaults`, async (call) =>
    call.json({ quota_set: { id: call.req.param('project'), ...(await shown(DEFAULTS)) } }),
  )
  app.get(path, async (call) => {
    const project = call.req.param('project')
    if (project !== call.var.caller.project?.id && !seesAll(call))
      throw new UserError(403, "Policy doesn't allow volume_extension:quotas:show to be performed.")
    const limits = await shown(project)
    if (call.req.query('usage')?.toLowerCase() !== 'true') return call.json({ quota_set: { id: project, ...limits } })
    const used: Record<string, number> = await usageOf(table, project)
    const each = Object.entries(limits).map(([name, most]) => [
      name,
      { limit: most, in_use: used[name] ?? 0, reserved: 0, allocated: 0 },
    ])
    return call.json({ quota_set: { id: project, ...Object.fromEntries(each) } })
  })
  app.put(path, async (call) => {
    requireAdmin(call, 'volume_extension:quotas:update')
    const project = call.req.param('project')
    await set(call, project, update.parse(await readJson(call)).quota_set)
    return call.json({ quota_set: await shown(project) })
  })
  app.delete(path, async (call) => {
    requireAdmin(call, 'volume_extension:quotas:delete')
    await setLimits(table, call.req.param('project'), {
      volumes: undefined,
      gigabytes: undefined,
      snapshots: undefined,
    })
    return call.body(null, 200)
  })
  const ofClass = `${PATH}/os-quota-class-sets/default`
  app.get(ofClass, async (call) => {
    requireAdmin(call, 'volume_extension:quota_classes')
    return call.json({ quota_class_set: { id: 'default', ...(await shown(DEFAULTS)) } })
  })
  app.put(ofClass, async (call) => {
    requireAdmin(call, 'volume_extension:quota_classes')
    await set(call, DEFAULTS, classUpdate.parse(await readJson(call)).quota_class_set)
    return call.json({ quota_class_set: { id: 'default', ...(await shown(DEFAULTS)) } })
  })
}
