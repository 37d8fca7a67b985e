import { type HealthLevel, rank } from '../../contract/health.ts'
import { customClass } from '../../contract/resource-class.ts'
import type { Node } from '../../contract/resources.ts'
import type { Query, Table, Write } from '../platform.ts'

/** Nodes that servers may be put on, in the order in which they are best given away: an item for each, written with the node, in a list of all
 * and in one of its site. Who looks for a node reads from the beginning, and stops at what fits. */

/** What decides whether a node fits. */
const facts = [
  'uuid',
  'conductor_group',
  'resource_class',
  'owner',
  'lessee',
  'traits',
  'properties',
  'health',
] as const
export type FreeNode = Pick<Node, (typeof facts)[number]>

const ALL = 'free-nodes'
const at = (site: string): string => `${ALL}#${site}`

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

/** FNV-1a: an order of its own for everybody, so that those who look at once don't all find the same first. */
export function spread(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash
}

const classPart = ({ resource_class: own }: Pick<Node, 'resource_class'>): string =>
  own === null ? '#' : `${customClass(own)}#`
const position = (name: string, weight: number, chance: number): string =>
  `${name}${weight.toString().padStart(5, '0')}#${chance.toString(16).padStart(8, '0')}`

function itemsOf(node: Node): Array<Extract<Write, { put: unknown }>> {
  const sk = `${position(classPart(node), weightOf(node), spread(node.uuid))}#${node.uuid}`
  const value = Object.fromEntries(facts.map((name) => [name, node[name]]))
  return [ALL, at(node.conductor_group)].map((pk) => ({ put: { pk, sk, version: 1, value } }))
}

/** What a node's change changes here. */
export function freeNodeWrites(before: Node | undefined, after: Node | undefined): Write[] {
  const had = before && isFree(before) ? itemsOf(before) : []
  const has = after && isFree(after) ? itemsOf(after) : []
  if (JSON.stringify(had) === JSON.stringify(has)) return []
  const key = ({ put: { pk, sk } }: { put: { pk: string; sk: string } }): string => `${pk} ${sk}`
  const kept = new Set(has.map(key))
  const gone = had.filter((each) => !kept.has(key(each))).map(({ put: { pk, sk } }) => ({ delete: { pk, sk } }))
  return [...has, ...gone]
}

/** A change of these is nobody's business. */
export const isFreeNodeKey = ({ pk }: { pk: string }): boolean => pk === ALL || pk.startsWith(`${ALL}#`)

export interface Looking {
  site: string | null
  /** As Placement names it; undefined: any. */
  resourceClass: string | undefined
}

const PAGE = 50

/** The best first; of those that are equally good, from `seed`'s place on and around. */
export async function* freeNodes(table: Table, looking: Looking, seed: string): AsyncGenerator<FreeNode> {
  const pk = looking.site === null ? ALL : at(looking.site)
  const prefix = looking.resourceClass === undefined ? '' : `${looking.resourceClass}#`
  const chance = spread(seed)
  for (let from: string | undefined = prefix; from !== undefined;) {
    const [first] = await page(table, pk, prefix, from, 1)
    if (!first) return
    const weight = weightOf(first.value)
    const [, name = ''] = /^(.*#)\d{5}#/.exec(first.sk) ?? []
    const middle = position(name, weight, chance)
    const [begin, end] = [position(name, weight, 0), `${position(name, weight, 0xffffffff)}~`]
    yield* between(table, pk, name, middle, end)
    yield* between(table, pk, name, begin, middle)
    from = end
  }
}

async function* between(table: Table, pk: string, prefix: string, from: string, to: string): AsyncGenerator<FreeNode> {
  for (let after = from; ;) {
    const found = await page(table, pk, prefix, after, PAGE)
    for (const { sk, value } of found) {
      if (sk >= to) return
      yield value
    }
    if (found.length < PAGE) return
    after = found.at(-1)!.sk
  }
}

async function page(table: Table, pk: string, prefix: string, from: string, limit: number) {
  const query: Query = {
    pk,
    limit,
    ...(prefix === '' ? {} : { prefix }),
    // DynamoDB's keys are not empty.
    ...(from === '' ? {} : { after: { key: { pk, sk: from } } }),
  }
  const { items } = await table.query(query)
  return items.map(({ sk, value }) => ({ sk, value: value as FreeNode }))
}
