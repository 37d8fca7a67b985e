import { UserError } from '../../contract/api/faults.ts'
import { allowed, type Rule } from '../../contract/policy.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { isVisible } from './authorization.ts'
import type { Call } from './context.ts'
import { noNode, nodeOf } from './find.ts'

/** What belongs to a node is seen by who sees the node. */

export async function visibleNode(call: Call, platform: Pick<Platform, 'table'>, ident: string): Promise<Node> {
  const node = await nodeOf(platform, ident, call.var.minor)
  if (!isVisible(call, node)) throw noNode(ident)
  return node
}

/** The node of something new: that it is unknown is the body's fault, not the path's. */
export async function namedNode(call: Call, platform: Pick<Platform, 'table'>, ident: string): Promise<Node> {
  try {
    return await visibleNode(call, platform, ident)
  } catch (error) {
    if (error instanceof UserError) throw new UserError(400, error.message)
    throw error
  }
}

/** Of a page, those of nodes that the caller sees; `all` is the rule of those who see all. There may be few. */
export function ofVisibleNodes<T extends { node_uuid: string }>(
  call: Call,
  { table }: Pick<Platform, 'table'>,
  all: Rule,
): (values: T[]) => Promise<T[]> {
  return async (values) => {
    if (allowed(all, call.var.caller)) return values
    const uuids = [...new Set(values.map(({ node_uuid: uuid }) => uuid))]
    const nodes = await Promise.all(uuids.map((uuid) => getNode(table, uuid)))
    const seen = new Set(nodes.flatMap((node) => (node && isVisible(call, node) ? [node.uuid] : [])))
    return values.filter(({ node_uuid: uuid }) => seen.has(uuid))
  }
}

/** Filters by the nodes' own attributes: shard (a comma list) and conductor_groups. Undefined: neither is asked for. */
export function nodeFilter<T extends { node_uuid: string }>(
  call: Call,
  { table }: Pick<Platform, 'table'>,
): ((values: T[]) => Promise<T[]>) | undefined {
  const shards = call.req.query('shard')?.split(',')
  const groups = call.req.query('conductor_groups')?.toLowerCase().split(',')
  if (!shards && !groups) return undefined
  return async (values) => {
    const uuids = [...new Set(values.map(({ node_uuid: uuid }) => uuid))]
    const nodes = await Promise.all(uuids.map((uuid) => getNode(table, uuid)))
    const fitting = nodes.filter(
      (node) =>
        node &&
        (!shards || (node.shard !== null && shards.includes(node.shard))) &&
        (!groups || groups.includes(node.conductor_group)),
    )
    const kept = new Set(fitting.map((node) => node?.uuid))
    return values.filter(({ node_uuid: uuid }) => kept.has(uuid))
  }
}
