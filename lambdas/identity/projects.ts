import type { Project } from '../../contract/identity.ts'
import { readJson } from '../api/body.ts'
import { newId, type Ground, type Identity } from './context.ts'
import { notFound } from './errors.ts'
import { deleteGrants, grantsOn } from './grants.ts'
import { grantsReaching } from './members.ts'
import { projectCreation, projectUpdate } from './input.ts'
import { createNamed, deleteNamed, getNamed, listNamed, updateNamed } from './named.ts'
import { matching } from './query.ts'
import { requireAdmin, requireReader, requireSession } from './rights.ts'
import { collectionView, projectView } from './views.ts'

export function projectRoutes(app: Identity, ground: Ground): void {
  const { table, clock, log } = ground
  const path = '/identity/v3/projects'
  app.get(path, async (call) => {
    requireReader(call, 'identity:list_projects')
    const { base } = call.var
    const projects = matching(call, await listNamed(table, 'project')).map((each) => projectView(base, each))
    return call.json(collectionView(base, 'projects', 'projects', projects))
  })
  app.post(path, async (call) => {
    const by = requireAdmin(call, 'identity:create_project')
    const given = projectCreation.parse(await readJson(call)).project
    const project: Project = {
      id: newId(ground),
      name: given.name,
      enabled: given.enabled ?? true,
      description: given.description ?? '',
      created_at: clock.now().toISOString(),
      version: 1,
    }
    await createNamed(table, 'project', project)
    log.info({ project: project.id, name: project.name, by: by.user.id }, 'project created')
    return call.json({ project: projectView(call.var.base, project) }, 201)
  })
  app.get(`${path}/:project`, async (call) => {
    const id = call.req.param('project')
    const { user } = requireSession(call)
    const isTheirs = (await grantsReaching(table, user.id, { kind: 'project', id })).length > 0
    requireReader(call, 'identity:get_project', isTheirs ? user.id : undefined)
    return call.json({ project: projectView(call.var.base, await requireProject(ground, id)) })
  })
  app.patch(`${path}/:project`, async (call) => {
    const by = requireAdmin(call, 'identity:update_project')
    const id = call.req.param('project')
    const { name, enabled, description } = projectUpdate.parse(await readJson(call)).project
    const after = await updateNamed(table, 'project', id, (before) => ({
      ...before,
      name: name ?? before.name,
      enabled: enabled ?? before.enabled,
      description: description === undefined ? before.description : (description ?? ''),
    }))
    if (!after) throw notFound('project', id)
    log.info({ project: id, name: after.name, by: by.user.id }, 'project changed')
    return call.json({ project: projectView(call.var.base, after) })
  })
  app.delete(`${path}/:project`, async (call) => {
    const by = requireAdmin(call, 'identity:delete_project')
    const project = await requireProject(ground, call.req.param('project'))
    await deleteNamed(table, 'project', project)
    await deleteGrants(table, await grantsOn(table, { kind: 'project', id: project.id }))
    log.info({ project: project.id, name: project.name, by: by.user.id }, 'project deleted')
    return call.body(null, 204)
  })
}

export async function requireProject({ table }: Pick<Ground, 'table'>, id: string): Promise<Project> {
  const project = await getNamed(table, 'project', id)
  if (!project) throw notFound('project', id)
  return project
}
