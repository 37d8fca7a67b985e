import { createHash } from 'node:crypto'
import { type HealthLevel, rank } from '../../contract/health.ts'
import { customClass } from '../../contract/resource-class.ts'
import type { Node } from '../../contract/resources.ts'
import type { Key, Table, Write } from '../platform.ts'
import { countWrites, isCountKey } from './node-counts.ts'
import { spread } from './spread.ts'

/** Nodes that servers may be put on. Those of a site that are alike in all that decides where a server goes are of one kind: how many there are of
 * each is counted (node-counts.ts), and an item for each, in the list of its site, names them. Written with the node, in its transaction. */

/** What decides whether a node fits, beside its site and being itself. */
const facts = ['resource_class', 'owner', 'lessee', 'traits', 'health', 'properties'] as const
export type Facts = Pick<Node, (typeof facts)[number]>
export type FreeNode = Pick<Node, 'uuid' | 'conductor_group'> & Facts

/** Of nodes that are not free, whatever they are. */
export const BUSY = 'busy'
const PREFIX = 'free#'

/** Nothing is on it or being done to it. */
export function isFree(
  node: Pick<Node, 'provision_state' | 'instance_uuid' | 'power_state' | 'maintenance' | 'retired'>,
): boolean {
  return (
    node.provision_state === 'available' &&
    node.instance_uuid === null &&
    node.power_state !== null &&
    !node.maintenance &&
    !node.retired
  )
}

/** Least is best: well before ailing, and of the well the one whose traits fewest others would miss. */
export function weightOf({ health, traits }: Pick<Node, 'health' | 'traits'>): number {
  return rank(health ?? ('OK' satisfies HealthLevel)) * 1000 + Math.min(traits.length, 999)
}

/** What a node is counted as. What is alike has one name; the class comes first, then the best. */
export function kindOf(node: Node): string {
  if (!isFree(node)) return BUSY
  const { resource_class, owner, lessee, traits, health } = node
  const properties = Object.entries(told(node)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify([resource_class, owner, lessee, traits.toSorted(), health, properties])
  const own = resource_class === null ? '' : customClass(resource_class)
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 16)
  return `${own}#${weightOf(node).toString().padStart(5, '0')}#${name}`
}

/** Properties that a flavor can ask for. */
function told({ properties }: Pick<Node, 'properties'>): Record<string, string | number> {
  const plain = ([, value]: [string, unknown]): boolean => typeof value === 'string' || typeof value === 'number'
  return Object.fromEntries(Object.entries(properties).filter(plain)) as Record<string, string | number>
}

const position = (kind: string, chance: number): string => `${kind}#${chance.toString(16).padStart(8, '0')}`
const keyOf = (site: string, kind: string, uuid: string): Key => ({
  pk: `${PREFIX}${site}`,
  sk: `${position(kind, spread(uuid))}#${uuid}`,
})

/** What a node's change changes here. `after` is counted as `kindOf` says. */
export function freeNodeWrites(before: Node | undefined, after: Node | undefined): Write[] {
  const [was, is] = [before?.counted_as, after?.counted_as]
  if (was === is && before?.conductor_group === after?.conductor_group) return []
  return [
    ...(after && is !== undefined && is !== BUSY ? [{ put: listed(after, is) }] : []),
    ...(before && was !== undefined && was !== BUSY
      ? [{ delete: keyOf(before.conductor_group, was, before.uuid) }]
      : []),
    ...countWrites([
      ...(before && was !== undefined ? [{ site: before.conductor_group, node: before.uuid, kind: was, by: -1 }] : []),
      ...(after && is !== undefined ? [{ site: after.conductor_group, node: after.uuid, kind: is, by: 1 }] : []),
    ]),
  ]
}

function listed(node: Node, kind: string) {
  const { uuid, conductor_group } = node
  const value = {
    uuid,
    conductor_group,
    ...Object.fromEntries(facts.map((name) => [name, node[name]])),
    properties: told(node),
  }
  return { ...keyOf(conductor_group, kind, uuid), version: 1, value }
}

/** A change of these is nobody's business. */
export const isFreeNodeKey = (key: Key): boolean => key.pk.startsWith(PREFIX) || isCountKey(key)

const PAGE = 8

/** Those of a kind at a site, from `seed`'s place on and around: those who look at once don't all find the same first. */
export async function* freeNodes(table: Table, site: string, kind: string, seed: string): AsyncGenerator<FreeNode> {
  const [begin, middle, end] = [position(kind, 0), position(kind, spread(seed)), `${kind}#~`]
  yield* between(table, site, kind, middle, end)
  yield* between(table, site, kind, begin, middle)
}

async function* between(table: Table, site: string, kind: string, from: string, to: string): AsyncGenerator<FreeNode> {
  const pk = `${PREFIX}${site}`
  for (let after = from; ;) {
    const { items } = await table.query({ pk, prefix: `${kind}#`, limit: PAGE, after: { key: { pk, sk: after } } })
    for (const { sk, value } of items) {
      if (sk >= to) return
      yield value as FreeNode
    }
    if (items.length < PAGE) return
    after = items.at(-1)!.sk
  }
}

const KNOWN = 5000
const known = new Map<string, Facts>()

/** What nodes of a kind have in common, as one of them has it; undefined: there is none any more. A kind's name says all of it, so that it is kept. */
export async function factsOf(table: Table, site: string, kind: string): Promise<Facts | undefined> {
  const before = known.get(kind)
  if (before) return before
  const { items } = await table.query({ pk: `${PREFIX}${site}`, prefix: `${kind}#`, limit: 1 })
  const found = items[0]?.value as FreeNode | undefined
  if (!found) return undefined
  if (known.size >= KNOWN) known.clear()
  known.set(kind, found)
  return found
}
