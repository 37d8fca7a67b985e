import { UserError } from '../../contract/api/faults.ts'
import type { IdentityConfig } from '../identity/config.ts'
import type { Service } from '../openstack/context.ts'
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
    minor: (header) => minorOf(header('openstack-api-version')),
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

/** `placement 1.31`; nothing said is 1.0. */
export function minorOf(header: string | undefined): number {
  const asked = /(?:^|,)\s*placement\s+([\w.]+)/i.exec(header ?? '')?.[1]
  if (asked === undefined) return 0
  if (asked === 'latest') return MAXIMUM
  const minor = Number(/^1\.(\d{1,3})$/.exec(asked)?.[1] ?? Number.NaN)
  if (!(minor <= MAXIMUM))
    throw new UserError(406, `Unacceptable version header: ${asked.slice(0, 32)}. From 1.0 to 1.${MAXIMUM} are spoken.`)
  return minor
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
