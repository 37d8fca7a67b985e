import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { getInventory } from '../store/inventory.ts'
import type { Api } from './context.ts'
import { nodeOf } from './find.ts'
import { onlyKnown } from './query.ts'

/** What the last inspection found (reference §1.6.5). */
export function inventoryRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes/:ident/inventory', async (call) => {
    onlyKnown(call, [])
    const { uuid } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const found = await getInventory(platform.table, uuid)
    if (!found) throw new UserError(404, `Inventory for node ${uuid} not found.`)
    return call.json(found)
  })
}
