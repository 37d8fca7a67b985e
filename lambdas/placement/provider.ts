import { customClass } from '../../contract/resource-class.ts'
import type { Node } from '../../contract/resources.ts'
import { isFree } from '../store/free-nodes.ts'
import { PATH } from './path.ts'

/** A node as Placement sees it (reference §5.7). Pure. */

export function providerView(base: string, minor: number, { uuid, version }: Node) {
  const of = (rel: string) => ({
    rel,
    href: `${base}${PATH}/resource_providers/${uuid}${rel === 'self' ? '' : `/${rel}`}`,
  })
  const links = ['self', 'inventories', 'usages', 'aggregates', 'traits', 'allocations'].map(of)
  return {
    uuid,
    // As Nova names it, and its hypervisor.
    name: uuid,
    generation: version,
    ...(minor >= 14 ? { parent_provider_uuid: null, root_provider_uuid: uuid } : {}),
    links: links.slice(0, minor >= 11 ? 6 : minor >= 6 ? 5 : minor >= 1 ? 4 : 3),
  }
}

export const classesOf = ({ resource_class: own }: Pick<Node, 'resource_class'>): string[] =>
  own === null ? [] : [customClass(own)]

/** It is one, whole; and reserved where nobody may have it. */
export function inventoriesOf(node: Node): Record<string, object> {
  const reserved = isFree(node) || node.instance_uuid !== null ? 0 : 1
  const inventory = { total: 1, reserved, min_unit: 1, max_unit: 1, step_size: 1, allocation_ratio: 1 }
  return Object.fromEntries(classesOf(node).map((name) => [name, inventory]))
}

export function usagesOf(node: Node): Record<string, number> {
  const used = node.instance_uuid === null ? 0 : 1
  return Object.fromEntries(classesOf(node).map((name) => [name, used]))
}

export const resourcesOf = (node: Node): Record<string, number> =>
  Object.fromEntries(classesOf(node).map((name) => [name, 1]))
