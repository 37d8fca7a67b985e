import { z } from 'zod'
import { isAbsent } from '../../contract/hardware.ts'
import { boolean } from '../../contract/stored.ts'
import type { Node } from '../../contract/resources.ts'
import { keeperOf } from '../conductor/choose.ts'
import { commandBase, consoleCommand, tellKeeper } from '../conductor/keeper.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { enqueueAll } from '../store/commands.ts'
import { argumentsOf } from './arguments.ts'
import { acceptedAt, type Api, doneBy } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { lacking } from './unsupported.ts'
import { requireValid } from './validation.ts'

const request = z.strictObject({ enabled: boolean })

/** Serial consoles as Ironic has them: on or off. An enabled one is open, and recorded at its site, all the time; console-live.ts shows it. */
export function consoleRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/states/console'
  app.get(path, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    requireConsole(node, 'get_console')
    const url = `${call.var.showing.base}/v1/nodes/${node.uuid}/console/stream`
    const { console_enabled } = node
    return call.json({ console_enabled, console_info: console_enabled ? { type: 'sse', url } : null })
  })
  app.put(path, async (call) => {
    const { enabled } = await argumentsOf(call, request)
    const ident = call.req.param('ident')
    const { uuid } = await nodeOf(platform, ident, call.var.minor)
    const after = await changeNode(platform, uuid, async (node) => {
      requireConsole(node, enabled ? 'start_console' : 'stop_console')
      if (enabled) await requireValid(platform, node, ['console'])
      return { ...(await toldToSite(platform, node, enabled)), ...doneBy(call) }
    })
    if (!after) throw noNode(ident)
    return acceptedAt(call, ident, 'states/console')
  })
}

export function requireConsole(node: Node, action: string): void {
  if (isAbsent(node.console_interface)) throw lacking(node, action)
}

/** The node as it is then; nothing is written where there is nobody to tell. */
async function toldToSite(
  platform: Platform,
  node: Node,
  enabled: boolean,
): Promise<Pick<NodeChange, 'node' | 'writes'>> {
  const { table, clock } = platform
  const after = { ...node, console_enabled: enabled }
  const site = node.conductor_group === '' ? [] : await appliancesOf(table, node.conductor_group)
  const appliance = keeperOf(node, site, clock.now())
  if (!appliance) return { node: after }
  if (!enabled) {
    const off = { ...commandBase(platform, node), kind: 'console' as const, enabled }
    return { node: after, writes: await enqueueAll(table, appliance.uuid, [off]) }
  }
  // A site that has not had a plan since the interface was chosen doesn't know of it, so the command brings the machine along.
  const next = { ...after, generation: node.generation + 1 }
  return tellKeeper(platform, node, next, appliance, [await consoleCommand(platform, next)])
}
