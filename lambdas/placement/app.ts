import type { IdentityConfig } from '../identity/config.ts'
import type { Service } from '../openstack/context.ts'
import { askedOf, minorOf } from '../openstack/microversion.ts'
import { createService } from '../openstack/service.ts'
import type { Platform } from '../platform.ts'
import { allocationRoutes } from './allocations.ts'
import { candidateRoutes } from './candidates.ts'
import { nameRoutes } from './names.ts'
import { PATH } from './path.ts'
import { providerRoutes } from './providers.ts'

/** The last microversion that clients know; 1.0 is the first. */
const MAXIMUM = 39

/** The Placement API, under /placement: it shows what the scheduler knows. A node is a resource provider, its class its inventory. */
export function createPlacement(platform: Platform, auth: IdentityConfig, publicEndpoint: string | null): Service {
  const app = createService(platform, auth, publicEndpoint, {
    fault: (status, detail) => ({ errors: [{ status, title: titles[status] ?? 'Error', detail, ...codeOf(status) }] }),
    isPublic: (path) => path === PATH,
    minor: (header) =>
      minorOf(askedOf(/placement/, header('openstack-api-version')), { major: 1, least: 0, most: MAXIMUM }),
    versionHeaders: (minor) => ({ 'openstack-api-version': `placement 1.${minor}`, vary: 'openstack-api-version' }),
  })
  app.get(PATH, (call) =>
    call.json({
      versions: [
        {
          id: 'v1.0',
          min_version: '1.0',
          max_version: `1.${MAXIMUM}`,
          status: 'CURRENT',
          links: [{ rel: 'self', href: '' }],
        },
      ],
    }),
  )
  providerRoutes(app, platform)
  nameRoutes(app, platform)
  allocationRoutes(app, platform)
  candidateRoutes(app, platform)
  return app
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  409: 'Conflict',
}

function codeOf(status: number): { code?: string } {
  return status === 409 ? { code: 'placement.concurrent_update' } : { code: 'placement.undefined_code' }
}
