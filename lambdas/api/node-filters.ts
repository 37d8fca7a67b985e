import { UserError } from '../../contract/api/faults.ts'
import { fieldSince, parameterSince } from '../../contract/api/matrix.ts'
import { healthLevels } from '../../contract/health.ts'
import { isProvisionState } from '../../contract/provision.ts'
import { type Node, uuid } from '../../contract/resources.ts'
import { keeperOf } from '../conductor/choose.ts'
import type { Platform } from '../platform.ts'
import { allAppliances } from '../store/appliances.ts'
import type { BriefNode, NodeFilter } from '../store/nodes.ts'
import { chassisStore } from '../store/chassis.ts'
import type { Call } from './context.ts'
import { requireIdent } from './find.ts'
import { requireVersion } from './microversion.ts'
import { flag, onlyKnown } from './query.ts'

/** The filters of GET /v1/nodes: those that a list is kept for, and those that are tried on every node of it. */

const equal = ['chassis_uuid', 'fault', 'lessee', 'instance_name'] as const
const faults = ['power failure', 'clean failure', 'rescue abort failure', 'service failure', 'none']
const indexed = ['provision_state', 'driver', 'owner', 'resource_class', 'conductor_group'] as const
const flags = ['associated', 'maintenance', 'retired', 'sharded', 'include_children'] as const
const others = ['instance_uuid', 'project', 'conductor', 'shard', 'parent_node', 'description_contains'] as const

/** Ours, for those who ask as we do. */
const healths = [...healthLevels.map((each) => each.toLowerCase()), 'unknown']

export interface NodeQuery {
  by: NodeFilter
  keep: ((node: BriefNode) => boolean) | undefined
  /** `keep` looks at more than briefs have, and is given whole nodes. */
  whole: boolean
  instance: string | undefined
}

export function nodeQuery(call: Call): NodeQuery {
  const names = [...equal, ...indexed, ...flags, ...others, ...(call.var.ours ? ['health'] : [])]
  onlyKnown(call, names)
  const given = call.req.query()
  const used = names.filter((name) => given[name] !== undefined)
  requireVersion(call, { ...fieldSince.nodes, ...parameterSince.nodes }, used)
  const { provision_state: state, fault, instance_uuid: instance } = given
  if (state !== undefined && !isProvisionState(state))
    throw new UserError(400, `Provision state "${state}" is not valid`)
  if (fault !== undefined && !faults.includes(fault))
    throw new UserError(
      400,
      `Unrecognized fault "${fault}" is specified, allowed faults are (${faults.map((each) => `'${each}'`).join(', ')})`,
    )
  if (instance !== undefined && !uuid.safeParse(instance).success)
    throw new UserError(400, `Expected UUID for instance_uuid: ${instance}`)
  const { health } = given
  if (health !== undefined && !healths.includes(health.toLowerCase()))
    throw new UserError(400, `Health "${health}" is not one of ${healths.join(', ')}`)
  const tests = testsOf(given)
  return {
    instance,
    by: filterOf(given),
    keep: (node) => tests.every((test) => test(node)),
    whole: given['description_contains'] !== undefined,
  }
}

function filterOf(given: Record<string, string>): NodeFilter {
  const by: NodeFilter = {}
  for (const field of indexed) if (given[field] !== undefined) by[field] = given[field]
  if (by.conductor_group !== undefined) by.conductor_group = by.conductor_group.toLowerCase()
  for (const field of ['associated', 'maintenance'] as const) {
    const value = flag(field, given[field])
    if (value !== undefined) by[field] = value
  }
  return by
}

type Test = (node: BriefNode) => boolean

function testsOf(given: Record<string, string>): Test[] {
  const { project, shard, parent_node: parent, description_contains: words, health } = given
  const retired = flag('retired', given['retired'])
  const sharded = flag('sharded', given['sharded'])
  const children = flag('include_children', given['include_children'])
  const tests: Test[] = equal.flatMap((field) => {
    const value = given[field]
    return value === undefined ? [] : [(node) => (node[field] ?? 'none') === value]
  })
  if (retired !== undefined) tests.push((node) => node.retired === retired)
  if (sharded !== undefined) tests.push((node) => (node.shard !== null) === sharded)
  if (project !== undefined) tests.push(({ owner, lessee }) => owner === project || lessee === project)
  if (shard !== undefined) tests.push((node) => shard.split(',').includes(node.shard ?? ''))
  if (words !== undefined) tests.push((node) => describes(node as Node, words))
  if (health !== undefined) tests.push((node) => (node.health ?? 'unknown').toLowerCase() === health.toLowerCase())
  if (parent !== undefined) tests.push((node) => node.parent_node === parent)
  else if (!children) tests.push((node) => node.parent_node === null)
  return tests
}

const describes = ({ description }: Node, words: string): boolean =>
  description?.toLowerCase().includes(words.toLowerCase()) === true

/** Nodes that a conductor, an appliance, has in hand: that is worked out, not stored. */
export async function conductorFilter(
  call: Call,
  { table, clock }: Platform,
): Promise<((node: Node) => boolean) | undefined> {
  const wanted = call.req.query('conductor')
  if (wanted === undefined) return undefined
  const appliances = await allAppliances(table)
  const now = clock.now()
  return (node) => {
    const ofSite = appliances.filter(({ site }) => site === node.conductor_group)
    return keeperOf(node, ofSite, now)?.name === wanted
  }
}

/** Nodes of a chassis that isn't there are asked for by mistake. */
export async function requireChassis(call: Call, { table }: Pick<Platform, 'table'>): Promise<void> {
  const wanted = call.req.query('chassis_uuid')
  if (wanted === undefined) return
  requireIdent(wanted, 'chassis_uuid', false)
  if (!(await chassisStore.get(table, wanted))) throw new UserError(404, `Chassis ${wanted} could not be found.`)
}
