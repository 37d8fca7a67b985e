import type { IdentityConfig } from '../identity/config.ts'
import type { Call, Service } from '../openstack/context.ts'
import { askedOf, minorOf } from '../openstack/microversion.ts'
import { createService } from '../openstack/service.ts'
import type { Platform } from '../platform.ts'
import { actionRoutes } from './actions.ts'
import { attachmentRoutes } from './attachment-routes.ts'
import { fleetRoutes } from './fleet-routes.ts'
import { PATH, withoutProject } from './path.ts'
import { quotaRoutes } from './quota-routes.ts'
import { snapshotActionRoutes } from './snapshot-actions.ts'
import { snapshotRoutes } from './snapshot-routes.ts'
import { transferRoutes } from './transfers.ts'
import { typeAccessRoutes } from './type-access.ts'
import { typeRoutes } from './types.ts'
import { volumeRoutes } from './volumes.ts'

/** The last microversion whose replies are made here: attachments are 3.27 and 3.44. */
const MAXIMUM = 60

const words: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  406: 'computeFault',
  409: 'conflictingRequest',
  413: 'overLimit',
  501: 'notImplemented',
}

/** Cinder's Block Storage API v3, under /volume. */
export function createVolumeService(
  platform: Platform,
  config: IdentityConfig,
  publicEndpoint: string | null,
): Service {
  const app = createService(platform, config, publicEndpoint, {
    fault: (code, message) => ({ [words[code] ?? 'computeFault']: { code, message } }),
    isPublic: (path) => path === '/volume' || path === PATH,
    shorten: withoutProject,
    minor: (header) =>
      minorOf(askedOf(/volume|block-storage/, header('openstack-api-version')), { major: 3, least: 0, most: MAXIMUM }),
    versionHeaders: (minor) => ({ 'openstack-api-version': `volume 3.${minor}`, vary: 'OpenStack-API-Version' }),
  })
  for (const path of ['/volume', PATH]) app.get(path, (call) => call.json({ versions: [version(call)] }))
  fleetRoutes(app, platform)
  quotaRoutes(app, platform)
  typeRoutes(app, platform)
  typeAccessRoutes(app, platform)
  snapshotRoutes(app, platform)
  snapshotActionRoutes(app, platform)
  attachmentRoutes(app, platform)
  transferRoutes(app, platform)
  actionRoutes(app, platform)
  volumeRoutes(app, platform)
  return app
}

function version(call: Call) {
  return {
    id: 'v3.0',
    status: 'CURRENT',
    version: `3.${MAXIMUM}`,
    min_version: '3.0',
    updated: '2026-11-23T00:00:00Z',
    links: [{ rel: 'self', href: `${call.var.base}${PATH}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' }],
  }
}
