import type { Flavor } from '../../contract/compute.ts'
import { rank } from '../../contract/health.ts'
import { customClass } from '../../contract/resource-class.ts'
import { type FreeNode, weightOf } from '../store/free-nodes.ts'
import { capabilityOf, isCapable } from './capability.ts'
import { type GroupWish, isAllowed, strain } from './group-rules.ts'

/** Which node a server gets. Pure: filters drop nodes and say how many each dropped, weighers put the others in order. */

/** Nodes and whole sites, and what is said of them. */
export interface AggregateFacts {
  hosts: readonly string[]
  metadata: Readonly<Record<string, string>>
}

export interface Wish {
  flavor: Pick<Flavor, 'extra_specs'>
  /** A site, or the nodes and sites of an aggregate that has this zone. */
  zone: { site: string } | { hosts: readonly string[] } | null
  /** Where all networks of its ports are; null: anywhere. */
  sites?: readonly string[] | null
  project: string
  tried: readonly string[]
  group: GroupWish | null
  aggregates: readonly AggregateFacts[]
}

interface Filter {
  /** What dropped nodes lack. */
  name: string
  keeps(node: FreeNode, wish: Wish): boolean
}

const RESOURCE = /^resources(\d*):(CUSTOM_[A-Z0-9_]+)$/
const TRAIT = /^trait(\d*):([A-Z0-9_]+)$/
const CAPABILITY = /^capabilities:(.+)$/
const AGGREGATE = /^aggregate_instance_extra_specs:(.+)$/

type Specs = Pick<Flavor, 'extra_specs'>

interface Wanted {
  classes: string[]
  traits: string[]
  forbidden: string[]
  capabilities: Array<[string, string]>
  ofAggregates: Array<[string, string]>
}
const read = new WeakMap<object, Wanted>()

/** What a flavor's extra specs ask for; they are read once for however many nodes. */
export function wantedBy({ extra_specs: specs }: Specs): Wanted {
  const known = read.get(specs)
  if (known) return known
  const entries = (pattern: RegExp, group: number): Array<[string, string]> =>
    Object.entries(specs).flatMap(([key, value]): Array<[string, string]> => {
      const name = pattern.exec(key)?.[group]
      return name === undefined ? [] : [[name, value]]
    })
  const traits = (kind: string): string[] =>
    entries(TRAIT, 2).flatMap(([name, value]) => (value === kind ? [name] : []))
  const wanted = {
    classes: entries(RESOURCE, 2).flatMap(([name, count]) => (Number(count) > 0 ? [name] : [])),
    traits: traits('required'),
    forbidden: traits('forbidden'),
    capabilities: entries(CAPABILITY, 1),
    ofAggregates: entries(AGGREGATE, 1),
  }
  read.set(specs, wanted)
  return wanted
}

const filters: Filter[] = [
  { name: 'not one on which it failed before', keeps: ({ uuid }, { tried }) => !tried.includes(uuid) },
  { name: "the project's to use", keeps: (node, { project }) => isFor(node, project) },
  { name: 'at the site', keeps: (node, { zone }) => zone === null || isIn(node, zone) },
  {
    name: 'at a site of its networks',
    keeps: ({ conductor_group: site }, { sites = null }) => sites === null || sites.includes(site),
  },
  {
    name: 'of the resource class',
    keeps: ({ resource_class: own }, { flavor }) =>
      wantedBy(flavor).classes.every((name) => own !== null && customClass(own) === name),
  },
  {
    name: 'with the traits',
    keeps: ({ traits }, { flavor }) => wantedBy(flavor).traits.every((each) => traits.includes(each)),
  },
  {
    name: 'without forbidden traits',
    keeps: ({ traits }, { flavor }) => !wantedBy(flavor).forbidden.some((each) => traits.includes(each)),
  },
  {
    name: 'with the capabilities',
    keeps: (node, { flavor }) =>
      wantedBy(flavor).capabilities.every(([name, value]) => isCapable(capabilityOf(node, name), value)),
  },
  {
    name: 'in aggregates of that kind',
    keeps: (node, { flavor, aggregates }) => {
      const wanted = wantedBy(flavor).ofAggregates
      const own = wanted.length === 0 ? [] : aggregates.filter((each) => isAmong(node, each.hosts))
      return wanted.every(([name, value]) =>
        own.some(({ metadata }) => metadata[name] !== undefined && isCapable(metadata[name], value)),
      )
    },
  },
  { name: 'where its group may be', keeps: (node, { group }) => group === null || isAllowed(node, group) },
  { name: 'in good health', keeps: ({ health }) => rank(health ?? 'OK') < rank('Critical') },
]

/** One that nobody owns is everybody's; one that somebody owns is theirs and their lessee's. */
function isFor({ owner, lessee }: FreeNode, project: string): boolean {
  return (owner === null && lessee === null) || owner === project || lessee === project
}

const isAmong = (node: FreeNode, hosts: readonly string[]): boolean =>
  hosts.includes(node.uuid) || hosts.includes(node.conductor_group)
const isIn = (node: FreeNode, zone: NonNullable<Wish['zone']>): boolean =>
  'site' in zone ? node.conductor_group === zone.site : isAmong(node, zone.hosts)

export const fits = (node: FreeNode, wish: Wish): boolean => filters.every(({ keeps }) => keeps(node, wish))

/** Least is best. What its group would rather not have counts before all else. */
export function costOf(node: FreeNode, { group }: Pick<Wish, 'group'>): number {
  return (group === null ? 0 : strain(node, group)) * 100_000 + weightOf(node)
}

/** How many nodes each filter drops of those that the ones before have left; those that drop none are left out. */
export type Dropped = Array<{ filter: string; nodes: number }>

export class Tally {
  readonly #counts = new Map<string, number>()

  /** Which filter drops it, if any: it and the others that are like it. */
  note(node: FreeNode, wish: Wish, alike = 1): void {
    const dropping = filters.find(({ keeps }) => !keeps(node, wish))
    if (dropping) this.#counts.set(dropping.name, (this.#counts.get(dropping.name) ?? 0) + alike)
  }

  get dropped(): Dropped {
    return filters.flatMap(({ name }) => {
      const nodes = this.#counts.get(name)
      return nodes === undefined ? [] : [{ filter: name, nodes }]
    })
  }
}

export function noHost(total: number, dropped: Dropped): string {
  if (total === 0) return 'No valid host was found. There is no node.'
  const why = dropped.map(({ filter, nodes }) => `${nodes} not ${filter.replace(/^not /, 'other than ')}`).join(', ')
  return `No valid host was found. Of ${total} nodes: ${why || 'all were taken in this moment'}.`
}
