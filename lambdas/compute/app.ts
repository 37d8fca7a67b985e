import type { IdentityConfig } from '../identity/config.ts'
import type { Call, Service } from '../openstack/context.ts'
import { askedOf, minorOf } from '../openstack/microversion.ts'
import { createService } from '../openstack/service.ts'
import type { Platform } from '../platform.ts'
import { actionLogRoutes } from './action-routes.ts'
import { actionRoutes } from './actions.ts'
import { aggregateRoutes } from './aggregates.ts'
import { externalEventRoutes } from './external-events.ts'
import { fleetRoutes } from './fleet-routes.ts'
import { flavorRoutes } from './flavors.ts'
import { groupRoutes } from './group-routes.ts'
import { interfaceRoutes } from './interfaces.ts'
import { keypairRoutes } from './keypairs.ts'
import { PATH } from './path.ts'
import { quotaRoutes } from './quota-routes.ts'
import { consoleRoutes } from './server-console.ts'
import { serverRoutes } from './servers.ts'
import { tagRoutes } from './tags.ts'
import { usageRoutes } from './usage.ts'
import { volumeAttachmentRoutes } from './volume-routes.ts'

/** The last microversion whose replies are made here. */
const MAXIMUM = 96

const words: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  406: 'computeFault',
  409: 'conflictingRequest',
  413: 'overLimit',
  501: 'notImplemented',
}

/** Nova's Compute API v2.1, under /compute. */
export function createCompute(platform: Platform, config: IdentityConfig, publicEndpoint: string | null): Service {
  const app = createService(platform, config, publicEndpoint, {
    fault: (code, message) =>
      code === 401
        ? { error: { code, title: 'Unauthorized', message } }
        : { [words[code] ?? 'computeFault']: { code, message } },
    isPublic: (path) => path === '/compute' || path === PATH,
    minor: (header) =>
      minorOf(askedOf(/compute/, header('openstack-api-version')) ?? header('x-openstack-nova-api-version'), {
        major: 2,
        least: 1,
        most: MAXIMUM,
      }),
    versionHeaders: (minor) => ({
      'openstack-api-version': `compute 2.${minor}`,
      'x-openstack-nova-api-version': `2.${minor}`,
      vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
    }),
  })
  app.get('/compute', (call) => call.json({ versions: [version(call)] }))
  app.get(PATH, (call) => call.json({ version: version(call) }))
  fleetRoutes(app, platform)
  flavorRoutes(app, platform)
  groupRoutes(app, platform)
  aggregateRoutes(app, platform)
  quotaRoutes(app, platform)
  keypairRoutes(app, platform)
  serverRoutes(app, platform)
  actionRoutes(app, platform)
  volumeAttachmentRoutes(app, platform)
  actionLogRoutes(app, platform)
  consoleRoutes(app, platform)
  interfaceRoutes(app, platform)
  tagRoutes(app, platform)
  externalEventRoutes(app, platform)
  usageRoutes(app, platform)
  return app
}

function version(call: Call) {
  return {
    id: 'v2.1',
    status: 'CURRENT',
    version: `2.${MAXIMUM}`,
    min_version: '2.1',
    updated: '2013-07-23T11:33:21Z',
    links: [{ rel: 'self', href: `${call.var.base}${PATH}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
  }
}
