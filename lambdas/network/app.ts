import type { IdentityConfig } from '../identity/config.ts'
import type { Service } from '../openstack/context.ts'
import { createService } from '../openstack/service.ts'
import type { Platform } from '../platform.ts'
import { absentRoutes } from './absent.ts'
import { networkRoutes } from './networks.ts'
import { portRoutes } from './ports.ts'
import { quotaRoutes } from './quotas.ts'
import { securityGroupRoutes } from './security-groups.ts'
import { segmentRoutes } from './segments.ts'
import { subnetRoutes } from './subnets.ts'
import { tagRoutes } from './tags.ts'
import { trunkRoutes } from './trunks.ts'

/** Neutron's Networking API v2.0, under /network. */
export function createNetwork(platform: Platform, config: IdentityConfig, publicEndpoint: string | null): Service {
  const app = createService(platform, config, publicEndpoint, {
    fault: (status, message) => ({ NeutronError: { type: types[status] ?? 'HTTPError', message, detail: '' } }),
    isPublic: (path) => path === '/network',
  })
  app.get('/network', (call) =>
    call.json({
      versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${call.var.base}/network/v2.0/` }] }],
    }),
  )
  networkRoutes(app, platform)
  subnetRoutes(app, platform)
  segmentRoutes(app, platform)
  securityGroupRoutes(app, platform)
  portRoutes(app, platform)
  trunkRoutes(app, platform)
  tagRoutes(app, platform)
  quotaRoutes(app, platform)
  absentRoutes(app)
  return app
}

const types: Readonly<Record<number, string>> = {
  400: 'InvalidInput',
  401: 'Unauthorized',
  403: 'PolicyNotAuthorized',
  404: 'NotFound',
  409: 'Conflict',
  412: 'RevisionNumberConstraintFailed',
  501: 'NotImplemented',
}
