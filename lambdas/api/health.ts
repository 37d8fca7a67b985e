import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { healthOf, sensorsOf } from '../store/health.ts'
import { askBmc } from './ask-bmc.ts'
import { acceptedAt, type Api } from './context.ts'
import { nodeOf } from './find.ts'

/** How a node's hardware does, by what its site told last; and its sensors, which a site reads for the cloud only when it is asked to: ours. */
export function healthRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes/:ident/health', async (call) => {
    const { uuid, health, driver_internal_info: info } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const { since, reported_at, causes, log } = await healthOf(platform.table, uuid)
    return call.json({ health, since, reported_at, causes, log, drift: info['drift'] ?? null })
  })
  app.get('/v1/nodes/:ident/sensors', async (call) => {
    const { uuid } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const known = await sensorsOf(platform.table, uuid)
    if (!known)
      throw new UserError(404, `The sensors of node ${uuid} were not read yet: POST /v1/nodes/${uuid}/sensors.`)
    return call.json(known)
  })
  app.post('/v1/nodes/:ident/sensors', async (call) => {
    await askBmc(platform, call, 'get_sensors', { step: 'management.read_sensors', args: {} })
    return acceptedAt(call, call.req.param('ident'), 'sensors')
  })
}
