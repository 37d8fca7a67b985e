import { z } from 'zod'
import { isAbsent } from '../../contract/hardware.ts'
import { boolean } from '../../contract/stored.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { argumentsOf } from './arguments.ts'
import { acceptedAt, type Api } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { lacking } from './unsupported.ts'

const request = z.strictObject({ enabled: boolean })

/** Serial consoles. The fake one has nothing to show but can be switched on and off. */
export function consoleRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/states/console'
  app.get(path, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    requireConsole(node, 'get_console')
    return call.json({ console_enabled: node.console_enabled, console_info: node.console_enabled ? {} : null })
  })
  app.put(path, async (call) => {
    const { enabled } = await argumentsOf(call, request)
    const ident = call.req.param('ident')
    const { uuid } = await nodeOf(platform, ident, call.var.minor)
    const after = await changeNode(platform, uuid, (node) => {
      requireConsole(node, enabled ? 'start_console' : 'stop_console')
      return { node: { ...node, console_enabled: enabled } }
    })
    if (!after) throw noNode(ident)
    return acceptedAt(call, ident, 'states/console')
  })
}

function requireConsole(node: Node, action: string): void {
  if (isAbsent(node.console_interface)) throw lacking(node, action)
}
