import { Hono } from 'hono'
import type { Platform } from '../platform.ts'
import { authentication } from './auth.ts'
import { conductorRoutes } from './conductors.ts'
import type { ApiConfig } from './config.ts'
import type { Facts } from './context.ts'
import { driverRoutes } from './drivers.ts'
import { enrolRoutes } from './enrol.ts'
import { answerErrors } from './errors.ts'
import { historyRoutes } from './history.ts'
import { imageRoutes } from './images.ts'
import { maintenanceRoutes } from './maintenance.ts'
import { managementRoutes } from './management.ts'
import { microversion } from './microversion.ts'
import { nodeRoutes } from './nodes.ts'
import { portRoutes } from './ports.ts'
import { powerRoutes } from './power.ts'
import { provisionRoutes } from './provision.ts'
import { rootRoutes } from './root.ts'
import { siteRoutes } from './sites.ts'
import { statesRoutes } from './states.ts'
import { traitRoutes } from './traits.ts'
import { validateRoutes } from './validate.ts'

/** Ironic's REST API over a platform, and our own few routes beside it. */
export function createApi(platform: Platform, config: ApiConfig): Hono {
  const app = new Hono<Facts>({ getPath: (request) => canonicalPath(new URL(request.url).pathname) })
  app.use(microversion(platform, config))
  app.use(authentication(config))
  answerErrors(app, platform)
  rootRoutes(app)
  validateRoutes(app, platform) // before nodes: `validate` is no node's name
  nodeRoutes(app, platform)
  statesRoutes(app, platform)
  provisionRoutes(app, platform)
  powerRoutes(app, platform)
  maintenanceRoutes(app, platform)
  managementRoutes(app, platform)
  traitRoutes(app, platform)
  historyRoutes(app, platform)
  portRoutes(app, platform)
  driverRoutes(app, platform)
  conductorRoutes(app, platform)
  siteRoutes(app, platform)
  enrolRoutes(app, platform)
  imageRoutes(app, platform)
  return app as unknown as Hono
}

/** `/nodes` and `/v1/nodes/` are `/v1/nodes`. */
export function canonicalPath(path: string): string {
  const bare = path.replace(/\/+$/, '')
  if (bare === '' || bare === '/v1' || bare.startsWith('/v1/')) return bare || '/'
  return `/v1${bare}`
}
