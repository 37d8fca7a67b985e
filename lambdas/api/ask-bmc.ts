import { UserError } from '../../contract/api/faults.ts'
import { type ManagementVerb, offers } from '../../contract/management.ts'
import type { Node } from '../../contract/resources.ts'
import { type ManagementRequest, withManagement } from '../conductor/management.ts'
import { startPower } from '../conductor/move.ts'
import type { Platform } from '../platform.ts'
import { isBusy } from '../store/nodes.ts'
import { changeAsked } from './change.ts'
import type { Call } from './context.ts'
import { nodeOf } from './find.ts'
import { holderLookup, lockedText } from './holders.ts'
import { settled } from './settle.ts'
import { lacking } from './unsupported.ts'
import { requireValid } from './validation.ts'

/** The node that a request is about, if its management interface has this. */
export async function nodeThatOffers(platform: Platform, call: Call, verb: ManagementVerb): Promise<Node> {
  const node = await nodeOf(platform, call.req.param('ident') ?? '', call.var.minor)
  requireOffer(node, verb)
  return node
}

function requireOffer(node: Node, verb: ManagementVerb): void {
  if (!offers(node.management_interface, verb)) throw lacking(node, verb)
}

/** Has the site ask the node's BMC. What comes of it shows on the node: in its fields, or as last_error. */
export async function askBmc(
  platform: Platform,
  call: Call,
  verb: ManagementVerb,
  request: ManagementRequest,
  check: (node: Node) => void = () => {},
): Promise<void> {
  const { uuid } = await settled(platform, await nodeThatOffers(platform, call, verb))
  await askSite(platform, call, uuid, request, (node) => {
    requireOffer(node, verb)
    check(node)
  })
}

/** Has the site do one step with a node that is free; `more`: what else of the node changes with it. */
export async function askSite(
  platform: Platform,
  call: Call,
  uuid: string,
  request: ManagementRequest,
  check: (node: Node) => void,
  more: (node: Node) => Promise<Partial<Node>> = () => Promise.resolve({}),
): Promise<Node> {
  return changeAsked(call, platform, uuid, async (node) => {
    check(node)
    if (isBusy(node)) throw new UserError(409, lockedText(node, (await holderLookup(platform)(node)).reservation))
    await requireValid(platform, node, ['management'])
    const driver_internal_info = withManagement(node.driver_internal_info, request)
    return { node: startPower(node, { ...(await more(node)), driver_internal_info }, platform.clock.now()) }
  })
}
