import type { ServerGroup } from '../../contract/compute.ts'
import type { FreeNode } from '../store/free-nodes.ts'

/** Where servers of a group may be. Two are in one place when they are at one site, or, more closely, in one rack of it. Pure. */

export interface GroupWish extends Pick<ServerGroup, 'policy' | 'scope' | 'most'> {
  /** Where its other members are. */
  places: readonly string[]
}

/** A node that doesn't say its rack is in one of its own. */
export function placeOf(
  { uuid, conductor_group: site, properties: { rack } }: Pick<FreeNode, 'uuid' | 'conductor_group' | 'properties'>,
  scope: ServerGroup['scope'],
): string {
  if (scope === 'site') return site
  return typeof rack === 'string' && rack !== '' ? `${site}/${rack}` : `${site}/node ${uuid}`
}

const together = (node: FreeNode, { places, scope }: GroupWish): number => {
  const own = placeOf(node, scope)
  return places.filter((place) => place === own).length
}

export function isAllowed(node: FreeNode, group: GroupWish): boolean {
  if (group.policy === 'affinity') return group.places.length === 0 || together(node, group) > 0
  if (group.policy === 'anti-affinity') return together(node, group) < group.most
  return true
}

/** How much it would go against a wish that is none of necessity: so many members are elsewhere, or here. */
export function strain(node: FreeNode, group: GroupWish): number {
  if (group.policy === 'soft-affinity') return group.places.length - together(node, group)
  return group.policy === 'soft-anti-affinity' ? together(node, group) : 0
}
