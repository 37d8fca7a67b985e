import { z } from 'zod'
import { type Node, uuid } from './resources.ts'
import { logicalName, stored, traitName } from './stored.ts'

/** Somebody's wish for a node, and the node that was found for it. */
export const allocation = z.object({
  ...stored,
  name: logicalName.nullable(),
  node_uuid: uuid.nullable(),
  state: z.enum(['allocating', 'active', 'error']),
  last_error: z.string().nullable(),
  resource_class: z.string().max(80).nullable(),
  traits: z.array(traitName).max(50),
  candidate_nodes: z.array(uuid).max(1000),
  owner: z.string().max(255).nullable(),
})
export type Allocation = z.infer<typeof allocation>

/** May have the node right now. A retired node is never available. */
export function isCandidate(node: Node, wanted: Allocation): boolean {
  return (
    node.provision_state === 'available' &&
    node.instance_uuid === null &&
    node.power_state !== null &&
    !node.maintenance &&
    node.resource_class === wanted.resource_class &&
    hasTraits(node, wanted) &&
    (wanted.candidate_nodes.length === 0 || wanted.candidate_nodes.includes(node.uuid)) &&
    (wanted.owner === null || node.owner === wanted.owner || node.lessee === wanted.owner)
  )
}

export function hasTraits(node: Node, { traits }: Pick<Allocation, 'traits'>): boolean {
  return traits.every((trait) => node.traits.includes(trait))
}
