import { UserError } from '../../contract/api/faults.ts'
import type { Api } from './context.ts'

/** Agents speak to their site's appliance, never to the cloud: as of an Ironic with enable_ramdisk_endpoints=False. */
export function ramdiskRoutes(app: Api): void {
  const refuse = (): never => {
    throw new UserError(403, 'This endpoint is only served inside of a site, by its appliance.')
  }
  app.get('/v1/lookup', refuse)
  app.post('/v1/heartbeat/:ident', refuse)
  app.post('/v1/continue_inspection', refuse)
}
