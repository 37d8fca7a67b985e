import { isTransient } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import type { IndexName, Item, Key, Table } from '../platform.ts'
import { all, list, type Listed } from './paging.ts'
import { type Sorting, sortedList } from './sorting.ts'

export const nodeKey = (uuid: string): Key => ({ pk: `node#${uuid}`, sk: 'node' })
export const nodeNameKey = (name: string): Key => ({ pk: `node-name#${name}`, sk: 'name' })
export const instanceKey = (instance: string): Key => ({ pk: `instance-of#${instance}`, sk: 'instance' })

/** The item, at the parent, that says that a node is its child. */
export const childKey = (parent: string, child: { uuid: string; created_at: string }): Key => ({
  pk: nodeKey(parent).pk,
  sk: `${CHILD}${child.created_at}#${child.uuid}`,
})
const CHILD = 'child#'

/** In order of creation. */
export async function childrenOf(table: Table, parent: string): Promise<string[]> {
  const members = await all<{ node: string }>(table, { pk: nodeKey(parent).pk, prefix: CHILD })
  return members.map(({ node }) => node)
}

/** What the short list shows, and what most filters ask for. */
export const briefFields = [
  'uuid',
  'name',
  'instance_uuid',
  'maintenance',
  'power_state',
  'provision_state',
  'created_at',
  'conductor_group',
  'driver',
  'resource_class',
  'owner',
  'lessee',
  'parent_node',
  'chassis_uuid',
  'shard',
  'retired',
  'fault',
  'instance_name',
  'health',
] as const satisfies Array<keyof Node>
export type BriefNode = Pick<Node, (typeof briefFields)[number]>

function briefOf(node: Node): BriefNode {
  return Object.fromEntries(briefFields.map((field) => [field, node[field]])) as unknown as BriefNode
}

/** Every list of nodes is in order of creation. The instance index keeps apart nodes with and without an instance (who has a given
 * one, its unique item says); nodes under maintenance, few among many, are a list under the index that ports use for their node. */
export function nodeItem(node: Node): Item {
  const sk = `${node.created_at}#${node.uuid}`
  return {
    ...nodeKey(node.uuid),
    version: node.version,
    value: node,
    brief: briefOf(node),
    by: {
      all: { pk: 'nodes', sk },
      site: { pk: `site#${node.conductor_group}`, sk },
      state: { pk: `state#${node.provision_state}`, sk },
      driver: { pk: `driver#${node.driver}`, sk },
      instance: { pk: associated(node.instance_uuid !== null), sk },
      ...(node.owner === null ? {} : { owner: { pk: `owner#${node.owner}`, sk } }),
      ...(node.resource_class === null ? {} : { class: { pk: `class#${node.resource_class}`, sk } }),
      ...(node.maintenance ? { node: { pk: MAINTENANCE, sk } } : {}),
      ...(node.deadline === null ? {} : { due: { pk: NODES_DUE, sk: `${node.deadline}#${node.uuid}` } }),
    },
  }
}

export const NODES_DUE = 'due'
const MAINTENANCE = 'maintenance'
const associated = (is: boolean): string => `associated#${is}`

export async function getNode(table: Table, uuid: string): Promise<Node | undefined> {
  return (await table.get(nodeKey(uuid)))?.value as Node | undefined
}

/** By uuid or name. */
export async function findNode(table: Table, ident: string): Promise<Node | undefined> {
  const byUuid = await getNode(table, ident.toLowerCase())
  return byUuid ?? (await pointed(table, nodeNameKey(ident)))
}

export async function nodeOfInstance(table: Table, instance: string): Promise<Node | undefined> {
  return pointed(table, instanceKey(instance))
}

async function pointed(table: Table, key: Key): Promise<Node | undefined> {
  const pointer = (await table.get(key))?.value as { node: string } | undefined
  return pointer && getNode(table, pointer.node)
}

export interface NodeFilter {
  conductor_group?: string
  provision_state?: string
  driver?: string
  owner?: string
  resource_class?: string
  associated?: boolean
  maintenance?: boolean
}

/** The lists that nodes are kept in, the most selective first. */
export function nodeList(by: NodeFilter): { index: IndexName; pk: string } {
  if (by.maintenance) return { index: 'node', pk: MAINTENANCE }
  if (by.owner !== undefined) return { index: 'owner', pk: `owner#${by.owner}` }
  if (by.resource_class !== undefined) return { index: 'class', pk: `class#${by.resource_class}` }
  if (by.conductor_group !== undefined) return { index: 'site', pk: `site#${by.conductor_group}` }
  if (by.provision_state !== undefined) return { index: 'state', pk: `state#${by.provision_state}` }
  if (by.associated !== undefined) return { index: 'instance', pk: associated(by.associated) }
  if (by.driver !== undefined) return { index: 'driver', pk: `driver#${by.driver}` }
  return { index: 'all', pk: 'nodes' }
}

interface NodePage<T> {
  limit: number
  after?: Node
  descending?: boolean
  keep?: (node: T) => boolean
  sort?: Sorting<T>
}

export function listNodes(table: Table, by: NodeFilter, page: NodePage<Node>): Promise<Listed<Node>> {
  return listed(table, by, page, false)
}

/** The same in less time, for who needs no more of each. */
export function listBriefNodes(table: Table, by: NodeFilter, page: NodePage<BriefNode>): Promise<Listed<BriefNode>> {
  return listed(table, by, page, true)
}

function listed<T extends BriefNode>(
  table: Table,
  by: NodeFilter,
  page: NodePage<T>,
  brief: boolean,
): Promise<Listed<T>> {
  const { associated: withInstance, maintenance, ...equal } = by
  const fields = Object.entries(equal) as Array<[keyof typeof equal, string]>
  const matches = (node: T): boolean =>
    fields.every(([field, value]) => node[field] === value) &&
    (withInstance === undefined || (node.instance_uuid !== null) === withInstance) &&
    (maintenance === undefined || node.maintenance === maintenance) &&
    (page.keep?.(node) ?? true)
  const filtered = Object.keys(by).length > 0 || page.keep !== undefined
  const listing = {
    ...nodeList(by),
    limit: page.limit,
    descending: page.descending,
    after: page.after && nodeItem(page.after),
    keep: filtered ? matches : undefined,
    brief,
  }
  return page.sort ? sortedList(table, listing, page.sort, page.after as T | undefined) : list<T>(table, listing)
}

/** A power or boot-device change is being carried out or waits for its plan: such a change has a deadline, a rest state has none. */
export function powerPending(node: Node): boolean {
  return !isTransient(node.provision_state) && node.deadline !== null
}

/** An operation has the node in hand. */
export function isBusy(node: Node): boolean {
  return isTransient(node.provision_state) || powerPending(node)
}
