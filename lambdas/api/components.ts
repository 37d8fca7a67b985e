import { UserError } from '../../contract/api/faults.ts'
import { fieldSince } from '../../contract/api/matrix.ts'
import { links, pick, timeText, visible } from '../../contract/api/views.ts'
import type { Platform } from '../platform.ts'
import { type BiosSetting, biosOf, firmwareOf } from '../store/components.ts'
import { getInventory } from '../store/inventory.ts'
import { childrenOf } from '../store/nodes.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { fieldsOf, flag, onlyKnown } from './query.ts'

const short = ['name', 'value', 'created_at', 'updated_at', 'links']
const known = [...short, ...Object.keys(fieldSince.bios)]

/** What is known of a node's hardware: BIOS settings, firmware, what an inspection found; and the nodes that are parts of it. */
export function componentRoutes(app: Api, platform: Platform): void {
  const { table } = platform
  const one = (call: Call) => nodeOf(platform, call.req.param('ident') ?? '', call.var.minor)
  app.get('/v1/nodes/:ident/bios', async (call) => {
    onlyKnown(call, [])
    const fields = fieldsOf(call, known)
    const detail = flag('detail', call.req.query('detail')) ?? false
    if (call.req.query('detail') !== undefined && call.var.minor < fieldSince.bios.allowable_values)
      throw new UserError(400, 'Invalid query parameter ?detail=True received.')
    if (detail && fields) throw new UserError(400, "Can't fetch a subset of fields with detail set")
    const { uuid } = await one(call)
    const shown = fields ?? (detail ? known : short)
    return call.json({ bios: (await biosOf(table, uuid)).map((each) => pick(setting(call, uuid, each), shown)) })
  })
  app.get('/v1/nodes/:ident/bios/:setting', async (call) => {
    const { uuid } = await one(call)
    const name = call.req.param('setting')
    const found = (await biosOf(table, uuid)).find((each) => each.name === name)
    if (!found) throw new UserError(404, `Node ${uuid} doesn't have a BIOS setting '${name}'`)
    return call.json({ [name]: setting(call, uuid, found) })
  })
  app.get('/v1/nodes/:ident/firmware', async (call) => {
    const components = await firmwareOf(table, (await one(call)).uuid)
    return call.json({ firmware: components.map((each) => visible({ ...each }, fieldSince.firmware, call.var.minor)) })
  })
  app.get('/v1/nodes/:ident/inventory', async (call) => {
    const { uuid } = await one(call)
    const found = await getInventory(table, uuid)
    if (!found) throw new UserError(404, `Node inventory record for node ${uuid} could not be found.`)
    return call.json({ inventory: found.inventory, plugin_data: found.plugin_data })
  })
  app.get('/v1/nodes/:ident/children', async (call) => {
    const { uuid } = await one(call)
    return call.json({
      children: await childrenOf(table, uuid),
      links: links(call.var.showing, `nodes/${uuid}/children`),
    })
  })
}

function setting(call: Call, node: string, value: BiosSetting): Record<string, unknown> {
  const { read_at: _readAt, ...shown } = value
  const times = { created_at: timeText(value.created_at), updated_at: timeText(value.updated_at) }
  const view = { ...shown, ...times, links: links(call.var.showing, `nodes/${node}/bios/${value.name}`) }
  return visible(view, fieldSince.bios, call.var.minor)
}
