import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { type Call, doneBy } from './context.ts'
import { requireMatch, versionTag } from './etag.ts'
import { noNode } from './find.ts'

/** Changes a node in the caller's name, if it is what they have seen, and tells them the tag that it has now. */
export async function changeAsked(
  call: Call,
  platform: Platform,
  uuid: string,
  decide: (node: Node) => NodeChange | undefined | Promise<NodeChange | undefined>,
): Promise<Node> {
  const after = await changeNode(platform, uuid, async (node) => {
    requireMatch(call, `Node ${uuid}`, node)
    const change = await decide(node)
    return change && { ...change, ...doneBy(call) }
  })
  if (!after) throw noNode(uuid)
  call.header('etag', versionTag(after))
  return after
}
