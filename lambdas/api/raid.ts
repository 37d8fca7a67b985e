import { UserError } from '../../contract/api/faults.ts'
import { hardwareType, isAbsent } from '../../contract/hardware.ts'
import { logicalDiskProperties, raidConfig } from '../../contract/raid.ts'
import type { Platform } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { lacking } from './unsupported.ts'

/** What RAID a node shall have; cleaning makes it so. */
export function raidRoutes(app: Api, platform: Platform): void {
  app.put('/v1/nodes/:ident/states/raid', async (call) => {
    const ident = call.req.param('ident')
    const body = await readJson(call)
    const { uuid } = await nodeOf(platform, ident, call.var.minor)
    const after = await changeNode(platform, uuid, (node) => {
      if (isAbsent(node.raid_interface)) throw lacking(node, 'set_target_raid_config')
      return { node: { ...node, target_raid_config: raidConfig.parse(body ?? {}) } }
    })
    if (!after) throw noNode(ident)
    return call.body(null, 204)
  })
  app.get('/v1/drivers/:name/raid/logical_disk_properties', (call) => {
    const name = call.req.param('name')
    const type = hardwareType(name)
    if (!type) throw new UserError(404, `The driver '${name}' is unknown.`)
    if (isAbsent(type.interfaces.raid[0])) throw lacking({ driver: name }, 'get_logical_disk_properties')
    return call.json(logicalDiskProperties)
  })
}
