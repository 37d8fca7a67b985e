import type { Project } from '../../contract/identity.ts'
import { catalogue } from './catalog.ts'
import type { Ground, Identity } from './context.ts'
import { forbidden } from './errors.ts'
import { grantsReaching } from './members.ts'
import { getNamed } from './named.ts'
import { requireSession } from './rights.ts'
import { collectionView, domainView, projectView } from './views.ts'

/** What a token's bearer can do with it: /v3/auth/{catalog,projects,domains,system}. */
export function ownRoutes(app: Identity, ground: Ground): void {
  const path = '/identity/v3/auth'
  app.get(`${path}/catalog`, (call) => {
    if (requireSession(call).claims.scope === null) throw forbidden('identity:get_auth_catalog')
    return call.json(collectionView(call.var.base, 'auth/catalog', 'catalog', catalogue(call.var.base)))
  })
  app.get(`${path}/projects`, async (call) => {
    const { base } = call.var
    const projects = await projectsOf(ground, requireSession(call).user.id)
    const shown = projects.filter(({ enabled }) => enabled).map((project) => projectView(base, project))
    return call.json(collectionView(base, 'auth/projects', 'projects', shown))
  })
  app.get(`${path}/domains`, async (call) => {
    const { base } = call.var
    const grants = await grantsReaching(ground.table, requireSession(call).user.id, { kind: 'domain' })
    return call.json(collectionView(base, 'auth/domains', 'domains', grants.length > 0 ? [domainView(base)] : []))
  })
  app.get(`${path}/system`, async (call) => {
    const grants = await grantsReaching(ground.table, requireSession(call).user.id, { kind: 'system' })
    return call.json(collectionView(call.var.base, 'auth/system', 'system', grants.length > 0 ? [{ all: true }] : []))
  })
}

/** Where the user has a role. */
export async function projectsOf({ table }: Ground, user: string): Promise<Project[]> {
  const targets = (await grantsReaching(table, user)).map(({ target }) => target)
  const ids = new Set(targets.flatMap((target) => (target.kind === 'project' ? [target.id] : [])))
  const projects = await Promise.all([...ids].map((id) => getNamed(table, 'project', id)))
  return projects.filter((project) => project !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}
