import { z } from 'zod'
import { isAbsent } from '../../contract/hardware.ts'
import type { Command } from '../../contract/messages.ts'
import { boolean } from '../../contract/stored.ts'
import type { Node } from '../../contract/resources.ts'
import { chooseAppliance } from '../conductor/choose.ts'
import { machineOf } from '../conductor/machine.ts'
import type { Platform, Write } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { changeNode } from '../store/change-node.ts'
import { enqueue } from '../store/commands.ts'
import { portsOf } from '../store/ports.ts'
import { argumentsOf } from './arguments.ts'
import { acceptedAt, type Api, doneBy } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { lacking } from './unsupported.ts'
import { requireValid } from './validation.ts'

const request = z.strictObject({ enabled: boolean })
const ACCEPT_SECONDS = 7 * 24 * 3600

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
      const writes = await tellSite(platform, node, enabled)
      return { node: { ...node, console_enabled: enabled }, writes, ...doneBy(call) }
    })
    if (!after) throw noNode(ident)
    return acceptedAt(call, ident, 'states/console')
  })
}

export function requireConsole(node: Node, action: string): void {
  if (isAbsent(node.console_interface)) throw lacking(node, action)
}

/** None where there is nobody to tell. */
async function tellSite({ table, clock, ids }: Platform, node: Node, enabled: boolean): Promise<Write[]> {
  const now = clock.now()
  const site = node.conductor_group === '' ? [] : await appliancesOf(table, node.conductor_group)
  const appliance = chooseAppliance(node, site, now)
  if (!appliance) return []
  const base = {
    id: ids.uuid(),
    kind: 'console' as const,
    node: node.uuid,
    generation: Math.max(1, node.generation),
    issued_at: now.toISOString(),
    deadline: new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString(),
    enabled,
    // A site that has not had a plan since the interface was chosen doesn't know of it.
    ...(enabled && { machine: machineOf(node, await portsOf(table, node.uuid)) }),
  }
  return enqueue(table, appliance.uuid, (seq): Command => ({ ...base, seq }))
}
