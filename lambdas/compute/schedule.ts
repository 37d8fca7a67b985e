import type { Flavor, Server } from '../../contract/compute.ts'
import { type HealthLevel, rank } from '../../contract/health.ts'
import type { Node } from '../../contract/resources.ts'

/** Which node a server gets. Pure: filters drop nodes and say how many each dropped, weighers put the others in order. */

export interface Wish {
  flavor: Pick<Flavor, 'extra_specs'>
  site: string | null
  project: string
  tried: readonly string[]
}

interface Filter {
  /** What dropped nodes lack. */
  name: string
  keeps(node: Node, wish: Wish): boolean
}

export const wishOf = ({ flavor, availability_zone: site, project_id: project, tried }: Server): Wish => ({
  flavor,
  site,
  project,
  tried,
})

/** As Placement names a node's resource class (nova: obj_fields.ResourceClass.normalize_name). */
export function classOf(text: string): string {
  return `CUSTOM_${text.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`
}

const RESOURCE = /^resources(\d*):(CUSTOM_[A-Z0-9_]+)$/
const TRAIT = /^trait(\d*):([A-Z0-9_]+)$/
const CAPABILITY = /^capabilities:(.+)$/

function entries(specs: Record<string, string>, pattern: RegExp, group: number): Array<[string, string]> {
  return Object.entries(specs).flatMap(([key, value]): Array<[string, string]> => {
    const name = pattern.exec(key)?.[group]
    return name === undefined ? [] : [[name, value]]
  })
}

const wantedClasses = ({ flavor }: Wish): string[] =>
  entries(flavor.extra_specs, RESOURCE, 2).flatMap(([name, count]) => (Number(count) > 0 ? [name] : []))
export const wantedTraits = ({ extra_specs: specs }: Pick<Flavor, 'extra_specs'>): string[] =>
  entries(specs, TRAIT, 2).flatMap(([name, value]) => (value === 'required' ? [name] : []))
const forbiddenTraits = ({ flavor }: Wish): string[] =>
  entries(flavor.extra_specs, TRAIT, 2).flatMap(([name, value]) => (value === 'forbidden' ? [name] : []))
export const wantedCapabilities = ({ extra_specs: specs }: Pick<Flavor, 'extra_specs'>): Array<[string, string]> =>
  entries(specs, CAPABILITY, 1)

const filters: Filter[] = [
  {
    name: 'available',
    keeps: (node) =>
      node.provision_state === 'available' &&
      node.instance_uuid === null &&
      node.power_state !== null &&
      !node.maintenance &&
      !node.retired,
  },
  { name: 'not one on which it failed before', keeps: ({ uuid }, { tried }) => !tried.includes(uuid) },
  { name: "the project's to use", keeps: (node, { project }) => isFor(node, project) },
  { name: 'at the site', keeps: (node, { site }) => site === null || node.conductor_group === site },
  {
    name: 'of the resource class',
    keeps: ({ resource_class: own }, wish) =>
      wantedClasses(wish).every((name) => own !== null && classOf(own) === name),
  },
  {
    name: 'with the traits',
    keeps: ({ traits }, { flavor }) => wantedTraits(flavor).every((each) => traits.includes(each)),
  },
  {
    name: 'without forbidden traits',
    keeps: ({ traits }, wish) => !forbiddenTraits(wish).some((each) => traits.includes(each)),
  },
  {
    name: 'with the capabilities',
    keeps: (node, { flavor }) =>
      wantedCapabilities(flavor).every(([name, value]) => meets(capabilityOf(node, name), value)),
  },
  { name: 'in good health', keeps: ({ health }) => rank(healthOf(health)) < rank('Critical') },
]

const healthOf = (health: HealthLevel | null): HealthLevel => health ?? 'OK'

/** One that nobody owns is everybody's; one that somebody owns is theirs and their lessee's. */
function isFor({ owner, lessee }: Node, project: string): boolean {
  return (owner === null && lessee === null) || owner === project || lessee === project
}

/** Ironic's form: `a:b,c:d`; cpu_arch is a property. */
export function capabilityOf({ properties }: Pick<Node, 'properties'>, name: string): string | undefined {
  const direct = properties[name]
  if (typeof direct === 'string' || typeof direct === 'number') return String(direct)
  const { capabilities } = properties
  if (typeof capabilities !== 'string') return undefined
  const found = capabilities.split(',').find((each) => each.slice(0, each.indexOf(':')).trim() === name)
  return found?.slice(found.indexOf(':') + 1).trim()
}

/** Operators as Nova's ComputeCapabilitiesFilter has them: a plain value must be equal. */
function meets(own: string | undefined, wanted: string): boolean {
  if (own === undefined) return false
  const [, operator, operand = ''] = /^(<in>|<or>|s==|s!=|>=|<=|==|!=|=)\s+(.*)$/.exec(wanted.trim()) ?? []
  if (operator === undefined) return own === wanted.trim()
  const [a, b] = [Number(own), Number(operand)]
  const compare: Record<string, boolean> = {
    '<in>': own.includes(operand),
    '<or>': operand.split(/\s*<or>\s*/).includes(own),
    's==': own === operand,
    's!=': own !== operand,
    '>=': a >= b,
    '=': a >= b,
    '<=': a <= b,
    '==': a === b,
    '!=': a !== b,
  }
  return compare[operator] === true
}

export interface Choice {
  /** The best first. */
  nodes: Node[]
  /** How many each filter dropped; those that dropped none are left out. */
  dropped: Array<{ filter: string; nodes: number }>
}

/** Of equals, who comes first differs from server to server, so that those that are asked for at once don't all want the same. */
export function schedule(nodes: readonly Node[], wish: Wish, seed: string): Choice {
  const dropped: Choice['dropped'] = []
  let left = [...nodes]
  for (const { name, keeps } of filters) {
    const kept = left.filter((node) => keeps(node, wish))
    if (kept.length < left.length) dropped.push({ filter: name, nodes: left.length - kept.length })
    left = kept
  }
  const weighed = left.map((node) => ({ node, weight: weightOf(node, wish), chance: spread(`${seed}/${node.uuid}`) }))
  return { nodes: weighed.sort((a, b) => a.weight - b.weight || a.chance - b.chance).map(({ node }) => node), dropped }
}

/** Least is best: well before ailing, and of the well the one whose traits fewest others would miss. */
export function weightOf(
  { health, traits }: Pick<Node, 'health' | 'traits'>,
  { flavor }: Pick<Wish, 'flavor'>,
): number {
  return rank(healthOf(health)) * 1000 + (traits.length - wantedTraits(flavor).length)
}

/** FNV-1a. */
function spread(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
  return hash
}

export function noHost(total: number, { dropped }: Choice): string {
  if (total === 0) return 'No valid host was found. There is no node.'
  const why = dropped.map(({ filter, nodes }) => `${nodes} not ${filter.replace(/^not /, 'other than ')}`).join(', ')
  return `No valid host was found. Of ${total} nodes: ${why || 'all were taken in this moment'}.`
}
