import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { portStore } from '../network/store.ts'
import { attachVif, detachVif, knowsVifs, vifsOf } from '../network/vifs.ts'
import type { Platform } from '../platform.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { uuid } from '../../contract/resources.ts'

const request = z.looseObject({
  id: z.string().min(1).max(255),
  port_uuid: uuid.optional(),
  portgroup_uuid: uuid.optional(),
})

/** Virtual interfaces: ports of tenants' networks. Network interface `noop` does nothing with them and knows none, as Ironic's. */
export function vifRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/vifs'
  app.get(path, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const vifs = knowsVifs(node) ? await vifsOf(platform, node) : []
    return call.json({ vifs: vifs.map((id) => ({ id })) })
  })
  app.post(path, async (call) => {
    const given = parseAs('vif', request, (await readJson(call)) ?? {})
    if (call.var.minor >= 67 && given.port_uuid !== undefined && given.portgroup_uuid !== undefined)
      throw new UserError(400, 'Cannot specify both port_uuid and portgroup_uuid')
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    if (knowsVifs(node)) {
      await requireOwn(call, platform, given.id)
      await attachVif(platform, node, given)
    }
    return call.body(null, 204)
  })
  app.delete(`${path}/:vif`, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    if (knowsVifs(node)) await detachVif(platform, node, call.req.param('vif'))
    return call.body(null, 204)
  })
}

/** Who has a node on lease reaches only networks on which they have ports; Nova (role service) attaches everybody's. */
async function requireOwn(call: Call, { table }: Platform, id: string): Promise<void> {
  const { roles, system, project } = call.var.caller
  if (system || roles.has('admin') || roles.has('service')) return
  const port = await portStore.get(table, id)
  if (port && port.project_id !== project?.id) throw new UserError(404, `Port ${id} could not be found.`)
}
