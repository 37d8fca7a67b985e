import { Hono } from 'hono'
import { bare } from '../api/bare-path.ts'
import type { Platform } from '../platform.ts'
import { assignmentRoutes } from './assignments.ts'
import { catalogRoutes } from './catalog-routes.ts'
import type { IdentityConfig } from './config.ts'
import type { Facts, Ground } from './context.ts'
import { credentialRoutes } from './credential-routes.ts'
import { answerErrors } from './errors.ts'
import { grantRoutes } from './grant-routes.ts'
import { groupRoutes } from './groups.ts'
import { limitRoutes } from './limits.ts'
import { ownRoutes } from './own.ts'
import { projectRoutes } from './projects.ts'
import { roleRoutes } from './role-routes.ts'
import { rootRoutes } from './root.ts'
import { sessionOf } from './session.ts'
import { tokenRoutes } from './tokens.ts'
import { userRoutes } from './users.ts'

/** Keystone's Identity API v3, under /identity. `publicEndpoint`: scheme and host in links; null: as the request has them. */
export function createIdentity(platform: Platform, config: IdentityConfig, publicEndpoint: string | null): Hono {
  const app = new Hono<Facts>({ getPath: (request) => bare(new URL(request.url).pathname) })
  const { table, clock, ids, log } = platform
  const ground: Ground = { table, clock, ids, log, config }
  app.use(async (call, next) => {
    call.set('base', publicEndpoint?.replace(/\/+$/, '') ?? new URL(call.req.url).origin)
    const token = call.req.header('x-auth-token')
    call.set('session', token === undefined ? undefined : await sessionOf(ground, token))
    await next()
  })
  answerErrors(app, platform)
  rootRoutes(app)
  tokenRoutes(app, ground)
  ownRoutes(app, ground)
  userRoutes(app, ground)
  groupRoutes(app, ground)
  projectRoutes(app, ground)
  roleRoutes(app, ground)
  grantRoutes(app, ground)
  assignmentRoutes(app, ground)
  credentialRoutes(app, ground)
  catalogRoutes(app)
  limitRoutes(app, ground)
  return app as unknown as Hono
}
