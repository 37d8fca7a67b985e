import { createHash } from 'node:crypto'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { identityId } from '../../contract/identity.ts'
import { readJson } from '../api/body.ts'
import { type ImageAmounts, imageResources } from '../image-service/counted.ts'
import { DEFAULTS, limitsOf, ownLimitsOf, setLimits } from '../openstack/quotas.ts'
import type { Table } from '../platform.ts'
import { listServices, REGION } from './catalog.ts'
import type { Call, Ground, Identity } from './context.ts'
import { notFound } from './errors.ts'
import { listNamed } from './named.ts'
import { requireProject } from './projects.ts'
import { isOverall, requireAdmin, requireSession } from './rights.ts'
import { targetOf } from './session.ts'
import { collectionView } from './views.ts'

/** Unified limits: of images, whose service has no quotas of its own. Which resources there are is fixed; their defaults are changed, and
 * projects have others. */

const resource = z.enum(imageResources)
const amount = z
  .int()
  .min(-1)
  .max(2 ** 31 - 1)
const creation = z.object({
  limits: z
    .array(z.object({ project_id: identityId, resource_name: resource, resource_limit: amount }))
    .min(1)
    .max(imageResources.length),
})
const update = z.object({ limit: z.object({ resource_limit: amount }) })
const defaultUpdate = z.object({ registered_limit: z.object({ default_limit: amount }) })

interface Limit {
  project: string
  name: keyof ImageAmounts
  limit: number
}

export function limitRoutes(app: Identity, ground: Ground): void {
  const { table, log } = ground
  const registered = '/identity/v3/registered_limits'
  const defaults = async (call: Call) => {
    const limits = await limitsOf(table, DEFAULTS)
    return imageResources.map((name) => ({
      ...common(call, 'registered_limits', DEFAULTS, name),
      default_limit: limits[name],
    }))
  }
  const oneDefault = async (call: Call) => {
    const found = (await defaults(call)).find(({ id }) => id === call.req.param('id'))
    if (!found) throw notFound('registered limit', call.req.param('id') ?? '')
    return found
  }
  app.get(registered, async (call) => {
    requireSession(call)
    const found = (await defaults(call)).filter((each) => fits(call, each))
    return call.json(collectionView(call.var.base, 'registered_limits', 'registered_limits', found))
  })
  app.get(`${registered}/:id`, async (call) => {
    requireSession(call)
    return call.json({ registered_limit: await oneDefault(call) })
  })
  app.patch(`${registered}/:id`, async (call) => {
    const by = requireAdmin(call, 'identity:update_registered_limit')
    const { default_limit: limit } = defaultUpdate.parse(await readJson(call)).registered_limit
    const { resource_name: name } = await oneDefault(call)
    await setLimits(table, DEFAULTS, { [name]: limit })
    log.info({ resource: name, limit, by: by.user.id }, 'default limit changed')
    return call.json({ registered_limit: await oneDefault(call) })
  })
  for (const [method, path] of [['POST', registered] as const, ['DELETE', `${registered}/:id`] as const])
    app.on(method, path, (call) => {
      requireAdmin(call, 'identity:registered_limits')
      throw new UserError(403, `What is limited is fixed: ${imageResources.join(', ')}; set their defaults.`)
    })

  const path = '/identity/v3/limits'
  app.get(`${path}/model`, (call) =>
    call.json({ model: { name: 'flat', description: 'Projects have no projects below them.' } }),
  )
  const seen = async (call: Call): Promise<Limit[]> => {
    const session = requireSession(call)
    const target = targetOf(session.claims)
    const own = target?.kind === 'project' ? [target.id] : []
    return limitsOfAll(table, isOverall(session, 'reader') ? undefined : own)
  }
  const one = async (call: Call): Promise<Limit> => {
    const id = call.req.param('id') ?? ''
    const found = (await seen(call)).find(({ project, name }) => idOf(project, name) === id)
    if (!found) throw notFound('limit', id)
    return found
  }
  app.get(path, async (call) => {
    const found = (await seen(call)).map((each) => shown(call, each)).filter((each) => fits(call, each))
    return call.json(collectionView(call.var.base, 'limits', 'limits', found))
  })
  app.post(path, async (call) => {
    const by = requireAdmin(call, 'identity:create_limits')
    const { limits } = creation.parse(await readJson(call))
    for (const { project_id: project, resource_name: name } of limits) {
      await requireProject(ground, project)
      if ((await ownLimitsOf(table, project))[name] !== undefined)
        throw new UserError(409, `Project ${project} has a limit of ${name}: change that one.`)
    }
    const made: Limit[] = []
    for (const { project_id: project, resource_name: name, resource_limit: limit } of limits) {
      await setLimits(table, project, { [name]: limit })
      log.info({ project, resource: name, limit, by: by.user.id }, 'limit made')
      made.push({ project, name, limit })
    }
    return call.json({ limits: made.map((each) => shown(call, each)) }, 201)
  })
  app.get(`${path}/:id`, async (call) => call.json({ limit: shown(call, await one(call)) }))
  app.patch(`${path}/:id`, async (call) => {
    const by = requireAdmin(call, 'identity:update_limit')
    const { resource_limit: limit } = update.parse(await readJson(call)).limit
    const before = await one(call)
    await setLimits(table, before.project, { [before.name]: limit })
    log.info({ project: before.project, resource: before.name, limit, by: by.user.id }, 'limit changed')
    return call.json({ limit: shown(call, { ...before, limit }) })
  })
  app.delete(`${path}/:id`, async (call) => {
    const by = requireAdmin(call, 'identity:delete_limit')
    const { project, name } = await one(call)
    await setLimits(table, project, { [name]: undefined })
    log.info({ project, resource: name, by: by.user.id }, 'limit deleted')
    return call.body(null, 204)
  })
}

/** `projects`: no others. */
async function limitsOfAll(table: Table, projects: string[] | undefined): Promise<Limit[]> {
  const all = projects ?? (await listNamed(table, 'project')).map(({ id }) => id)
  const limits: Limit[] = []
  for (const project of all)
    for (const [name, limit] of Object.entries(await ownLimitsOf(table, project)))
      if (resource.safeParse(name).success) limits.push({ project, name: name as Limit['name'], limit })
  return limits
}

/** They follow from what they are of. */
const idOf = (project: string, name: string): string =>
  createHash('sha256').update(`limit ${project} ${name}`).digest('hex').slice(0, 32)

function common({ var: { base } }: Call, kind: string, project: string, name: Limit['name']) {
  const id = idOf(project, name)
  const service_id = listServices().find(({ type }) => type === 'image')!.id
  const links = { self: `${base}/identity/v3/${kind}/${id}` }
  return { id, service_id, region_id: REGION, resource_name: name, description: null, links }
}

function shown(call: Call, { project, name, limit }: Limit) {
  return { ...common(call, 'limits', project, name), project_id: project, domain_id: null, resource_limit: limit }
}

function fits(
  { req }: Call,
  limit: { service_id: string; region_id: string; resource_name: string; project_id?: string },
) {
  return (['service_id', 'region_id', 'resource_name', 'project_id'] as const).every(
    (name) => (req.query(name) ?? limit[name]) === limit[name],
  )
}
