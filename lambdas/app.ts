import { Hono } from 'hono'
import { createBaremetal } from './api/app.ts'
import type { ApiConfig } from './api/config.ts'
import { createCompute } from './compute/app.ts'
import { createIdentity } from './identity/app.ts'
import { createImageService } from './image-service/app.ts'
import type { Importer } from './image-service/importer.ts'
import { createNetwork } from './network/app.ts'
import { createPlacement } from './placement/app.ts'
import type { Platform } from './platform.ts'
import { createVolumeService } from './volume/app.ts'

/** All that is served: Ironic's API, and where Keystone's is how callers are known, that one and those that need its projects. */
export function createApi(platform: Platform, config: ApiConfig, importer?: Importer): Hono {
  const baremetal = createBaremetal(platform, config)
  const { auth, publicEndpoint } = config
  if (auth.strategy !== 'keystone') return baremetal as unknown as Hono
  const services = {
    identity: createIdentity(platform, auth, publicEndpoint),
    image: createImageService(platform, auth, config, importer),
    network: createNetwork(platform, auth, publicEndpoint),
    compute: createCompute(platform, auth, publicEndpoint),
    placement: createPlacement(platform, auth, publicEndpoint),
    volume: createVolumeService(platform, auth, publicEndpoint),
  }
  const app = new Hono()
  for (const [path, service] of Object.entries(services)) {
    app.all(`/${path}/*`, (call) => service.fetch(call.req.raw, call.env))
  }
  app.all('*', (call) => baremetal.fetch(call.req.raw, call.env))
  return app
}
