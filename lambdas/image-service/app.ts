import type { ApiConfig } from '../api/config.ts'
import type { IdentityConfig } from '../identity/config.ts'
import type { Service } from '../openstack/context.ts'
import { createService } from '../openstack/service.ts'
import type { Platform } from '../platform.ts'
import { absentRoutes } from './absent.ts'
import { dataRoutes } from './data.ts'
import { imageRoutes } from './images.ts'
import type { Importer } from './importer.ts'
import { memberRoutes } from './members.ts'
import { PATH } from './path.ts'
import { schemaRoutes } from './schemas.ts'
import { usageRoutes } from './usage.ts'

/** Glance's Image API v2, under /image. */
export function createImageService(
  platform: Platform,
  auth: IdentityConfig,
  { publicEndpoint, webhooks: reach }: Pick<ApiConfig, 'publicEndpoint' | 'webhooks'>,
  importer: Importer | undefined,
): Service {
  const app = createService(platform, auth, publicEndpoint, {
    fault: (code, message) => ({ code, title: titles[code] ?? 'Error', message }),
    isPublic: (path) => path === '/image' || path === '/image/versions',
  })
  app.on('GET', ['/image', '/image/versions'], (call) => {
    const links = [{ rel: 'self', href: `${call.var.base}${PATH}/` }]
    const versions = ['v2.9', 'v2.7', 'v2.6', 'v2.5', 'v2.4', 'v2.3', 'v2.2', 'v2.1', 'v2.0']
    return call.json({
      versions: versions.map((id, at) => ({ id, status: at === 0 ? 'CURRENT' : 'SUPPORTED', links })),
    })
  })
  const methods = importer && reach ? ['glance-direct', 'web-download'] : ['glance-direct']
  app.get(`${PATH}/info/import`, (call) =>
    call.json({ 'import-methods': { description: 'Import methods available.', type: 'array', value: methods } }),
  )
  app.get(`${PATH}/info/stores`, (call) =>
    call.json({ stores: [{ id: 'blobs', description: 'The blob store', default: 'true' }] }),
  )
  usageRoutes(app, platform)
  schemaRoutes(app)
  absentRoutes(app)
  imageRoutes(app, platform, methods)
  memberRoutes(app, platform)
  dataRoutes(app, platform, { importer, reach })
  return app
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  501: 'Not Implemented',
}
