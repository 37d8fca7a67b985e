import { createHash } from 'node:crypto'
import { type Allocation, isCandidate } from '../../contract/allocation.ts'
import { rank } from '../../contract/health.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { allocationStore } from '../store/allocations.ts'
import { changeNode } from '../store/change-node.ts'
import { getNode, nodeList } from '../store/nodes.ts'
import { all } from '../store/paging.ts'

/** Finds a node for an allocation that waits for one and claims it, in one transaction with the allocation's end; or writes down why
 * there is none. May run several times, and at the same time, for the same allocation: one wins. */
export async function allocate(platform: Platform, uuid: string): Promise<void> {
  const wanted = await allocationStore.get(platform.table, uuid)
  if (wanted?.state !== 'allocating') return
  const candidates = (await considered(platform, wanted)).filter((node) => isOffered(platform, node, wanted))
  for (const node of inOrder(candidates, wanted)) if (await claim(platform, node.uuid, uuid)) return
  const still = await allocationStore.get(platform.table, uuid)
  if (still?.state !== 'allocating') return
  const why = `Failed to process allocation ${uuid}: ${candidates.length > 0 ? 'all nodes were filtered out during reservation' : noneText(wanted)}.`
  const failed = ended(platform, still, { state: 'error', last_error: why })
  if (await allocationStore.save(platform.table, still, failed))
    platform.log.warn({ allocation: uuid, why }, 'not allocated')
}

/** A node of unknown health is as good as any. */
function isOffered({ options }: Pick<Platform, 'options'>, node: Node, wanted: Allocation): boolean {
  return isCandidate(node, wanted) && rank(node.health ?? 'OK') <= rank(options.allocation_worst_health)
}

async function considered({ table }: Platform, wanted: Allocation): Promise<Node[]> {
  if (wanted.candidate_nodes.length === 0)
    return all<Node>(table, nodeList({ resource_class: wanted.resource_class ?? '' }))
  const nodes = await Promise.all(wanted.candidate_nodes.map((uuid) => getNode(table, uuid)))
  return nodes.filter((node) => node !== undefined)
}

function noneText({ candidate_nodes: candidates, resource_class: wanted, traits }: Allocation): string {
  const like = traits.length > 0 ? ` and the traits ${traits.join(', ')}` : ''
  return candidates.length > 0
    ? `none of the requested nodes are available and match the resource class ${wanted}${like}`
    : `no available nodes match the resource class ${wanted}${like}`
}

/** A node of the same name first; the others so that allocations at the same moment don't all begin with the same one. */
export function inOrder(nodes: readonly Node[], wanted: Pick<Allocation, 'uuid' | 'name'>): Node[] {
  const rank = ({ uuid, name }: Node): string =>
    wanted.name !== null && name === wanted.name
      ? ''
      : createHash('sha256').update(`${wanted.uuid}/${uuid}`).digest('hex')
  return nodes
    .map((node) => ({ node, rank: rank(node) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ node }) => node)
}

/** Whether the allocation has its node now, this one or another. */
async function claim(platform: Platform, node: string, uuid: string): Promise<boolean> {
  const after = await changeNode(platform, node, async (before) => {
    const wanted = await allocationStore.get(platform.table, uuid)
    if (wanted?.state !== 'allocating' || !isOffered(platform, before, wanted)) return undefined
    return claimed(platform, before, wanted)
  })
  if (after?.allocation_uuid === uuid) platform.log.info({ allocation: uuid, node }, 'allocated')
  return (await allocationStore.get(platform.table, uuid))?.state !== 'allocating'
}

/** Both sides of an allocation, to be written together. */
export function claimed(platform: Pick<Platform, 'clock'>, node: Node, wanted: Allocation) {
  const active = ended(platform, wanted, { state: 'active', node_uuid: node.uuid, last_error: null })
  return {
    node: {
      ...node,
      instance_uuid: wanted.uuid,
      allocation_uuid: wanted.uuid,
      instance_info: { ...node.instance_info, traits: wanted.traits },
    },
    writes: allocationStore.writes(wanted, active),
  }
}

function ended({ clock }: Pick<Platform, 'clock'>, before: Allocation, changes: Partial<Allocation>): Allocation {
  return { ...before, ...changes, updated_at: clock.now().toISOString(), version: before.version + 1 }
}
