import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type Node, type PowerTarget, powerTarget } from '../../contract/resources.ts'
import { familyOf, isFedByParent } from '../conductor/family.ts'
import { hasAgentPower } from '../conductor/machine.ts'
import { startPower } from '../conductor/move.ts'
import type { Platform } from '../platform.ts'
import { isBusy } from '../store/nodes.ts'
import { argumentsOf } from './arguments.ts'
import { changeAsked } from './change.ts'
import { acceptedAt, type Api, type Call } from './context.ts'
import { nodeOf } from './find.ts'
import { holderLookup, lockedText } from './holders.ts'
import { requireVersion } from './microversion.ts'
import { settled } from './settle.ts'
import { requireValid } from './validation.ts'

const request = z.strictObject({ target: z.string(), timeout: z.number().int().nullish() })
const MAX_TIMEOUT = 3600

export function powerRoutes(app: Api, platform: Platform): void {
  app.put('/v1/nodes/:ident/states/power', async (call) => {
    const ident = call.req.param('ident')
    const node = await settled(platform, await nodeOf(platform, ident, call.var.minor))
    const { uuid } = node
    const { target, timeout } = await requested(call, node)
    await changeAsked(call, platform, uuid, async (node) => {
      await check(platform, node, target)
      if (isThere(node, target)) return { node: { ...node, last_error: null } }
      const isSoft = target.startsWith('soft') && !node.disable_power_off
      const power_timeout = timeout ?? (isSoft ? platform.options.soft_power_off_timeout : null)
      const internal = { ...node.driver_internal_info, power_timeout }
      const changes = { target_power_state: target, driver_internal_info: internal }
      return { node: startPower(node, changes, platform.clock.now(), power_timeout ?? 0) }
    })
    return acceptedAt(call, ident, 'states')
  })
}

async function requested(call: Call, node: Node): Promise<{ target: PowerTarget; timeout: number | null }> {
  const { target, timeout = null } = await argumentsOf(call, request)
  const known = powerTarget.safeParse(target)
  if (!known.success)
    throw new UserError(
      400,
      `The requested action "${target}" can not be performed on node "${node.uuid}" while it is in state "${node.power_state ?? 'None'}". Power targets are ${powerTarget.options.join(', ')}.`,
    )
  const newer = known.data.startsWith('soft') || timeout !== null
  requireVersion(call, { 'soft power or timeout': 27 }, newer ? ['soft power or timeout'] : [])
  if (timeout !== null && (timeout < 1 || timeout > MAX_TIMEOUT))
    throw new UserError(400, `timeout has to be positive integer: 1 to ${MAX_TIMEOUT} seconds`)
  return { target: known.data, timeout }
}

async function check(platform: Platform, node: Node, target: PowerTarget): Promise<void> {
  if (node.provision_state === 'cleaning' || node.provision_state === 'clean wait')
    throw new UserError(
      400,
      `The requested action "${target}" can not be performed on node "${node.uuid}" while it is in state "${node.provision_state}".`,
    )
  if (isBusy(node)) throw new UserError(409, lockedText(node, (await holderLookup(platform)(node)).reservation))
  if (node.disable_power_off && target.endsWith('power off'))
    throw new UserError(409, `Node ${node.uuid} must not be powered off: disable_power_off is set.`)
  if (hasAgentPower(node) && !target.endsWith('rebooting'))
    throw new UserError(409, `Node ${node.uuid} can only be rebooted: its power interface is its agent.`)
  await requireValid(platform, node, ['power'])
  await checkFamily(platform, node, target)
}

/** Nodes whose power goes with this one's (reference §3.2) must be free for it too. */
async function checkFamily(platform: Platform, node: Node, target: PowerTarget): Promise<void> {
  const { parent, children } = await familyOf(platform, node)
  const isOff = target.endsWith('power off')
  const feeder = parent && isFedByParent(node) && parent.power_state !== 'power on' ? [parent] : []
  const touched = isOff ? children.filter(isFedByParent) : feeder
  for (const each of touched) {
    if (isBusy(each)) throw new UserError(409, lockedText(each, (await holderLookup(platform)(each)).reservation))
    if (isOff && each.disable_power_off)
      throw new UserError(409, `Child node ${each.uuid} must not be powered off: disable_power_off is set.`)
  }
}

function isThere(node: Node, target: PowerTarget): boolean {
  if (target === 'power on') return node.power_state === 'power on'
  return target.endsWith('power off') && node.power_state === 'power off'
}
