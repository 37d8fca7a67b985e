import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import { ConflictError, type Item, type Key, type Platform, type Write } from '../platform.ts'
import { freeNodeWrites, kindOf } from './free-nodes.ts'
import { historyOf } from './history.ts'
import { allocationStore } from './allocations.ts'
import { chassisStore, memberKey } from './chassis.ts'
import { imageNamedBy, imageUseKey } from './images.ts'
import { childKey, getNode, instanceKey, nodeItem, nodeKey, nodeNameKey } from './nodes.ts'
import { portgroupsOf, portgroupStore } from './portgroups.ts'
import { portsOf, portStore } from './ports.ts'
import { volumeDeletions } from './volumes.ts'

type Needs = Pick<Platform, 'table' | 'clock' | 'ids'>

/** What a node shall become, and what has to be written with it or not at all. */
export interface NodeChange {
  node: Node
  /** What it was on the way there, in order: history tells of each. */
  passed?: Node[]
  writes?: Write[]
  /** For the history: who did it. */
  conductor?: string
  user?: string
  project?: string
}

const ATTEMPTS = 30

/** Every change of a node goes through here: read, decide, write on condition that nobody wrote meanwhile, else anew with what they
 * wrote. Name and instance stay unique, and history is kept, in the same transaction. Returns the node as it is now; undefined: no
 * such node. `decide` may run several times; it returns undefined for no change. */
export async function changeNode(
  platform: Needs,
  uuid: string,
  decide: (node: Node) => NodeChange | undefined | Promise<NodeChange | undefined>,
): Promise<Node | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await getNode(platform.table, uuid)
    if (!before) return undefined
    const change = await decide(before)
    if (!change) return before
    const after = await attemptChange(platform, before, change)
    if (after) return after
  }
  throw new UserError(409, `Node ${uuid} is being changed by many at once, please retry.`)
}

async function attemptChange(platform: Needs, before: Node, change: NodeChange): Promise<Node | undefined> {
  const now = platform.clock.now().toISOString()
  const freed = before.allocation_uuid !== null && change.node.instance_uuid === null
  const changed: Node = { ...change.node, ...(freed ? withoutAllocation(change.node) : {}) }
  const after: Node = { ...changed, counted_as: kindOf(changed), version: before.version + 1, updated_at: now }
  const unique = uniqueness(before, after)
  const history = historyOfAll(platform, [before, ...(change.passed ?? []), after], change)
  const writes: Write[] = [
    { put: nodeItem(after), expect: before.version },
    ...unique.map(({ write }) => write),
    ...freeNodeWrites(before, after),
    ...(change.writes ?? []),
    ...(freed ? await allocationDeletion(platform, before) : []),
    ...history.map((put) => ({ put })),
  ]
  try {
    await platform.table.write(writes)
    return after
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    const clash = unique[error.index - 1]?.clash
    if (clash) throw clash
    return undefined
  }
}

/** One change of the table may be several of the node; a thousand at most. */
function historyOfAll(
  { clock, ids }: Needs,
  nodes: Node[],
  { conductor, user, project }: Omit<NodeChange, 'node'>,
): Item[] {
  const by = { now: clock.now().toISOString(), conductor, user, project }
  const first = (nodes[0]?.version ?? 0) * 1000
  return nodes.flatMap((after, index) => {
    const before = nodes[index - 1]
    const entry = before && historyOf(before, after, by, { id: ids.uuid(), position: first + index })
    return entry ? [entry] : []
  })
}

export async function createNode(platform: Needs, given: Node): Promise<void> {
  const node: Node = { ...given, counted_as: kindOf(given) }
  const unique = uniqueness(undefined, node)
  try {
    await platform.table.write([
      { put: nodeItem(node), expect: 'absent' },
      ...unique.map(({ write }) => write),
      ...freeNodeWrites(undefined, node),
    ])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw unique[error.index - 1]?.clash ?? new UserError(409, `A node with UUID ${node.uuid} already exists.`)
  }
}

const AT_ONCE = 100

/** With all that belongs to it, on condition that `node` is what is stored. History, what its site knows, and what was added at the
 * same moment are cleared by the change feed. */
export async function deleteNode(platform: Needs, node: Node): Promise<void> {
  const own: Write[] = [
    { delete: nodeKey(node.uuid), expect: node.version },
    ...uniqueness(node, undefined).map(({ write }) => write),
    ...freeNodeWrites(node, undefined),
    ...(await allocationDeletion(platform, node)),
  ]
  const belongings = await belongingsOf(platform.table, node)
  const rest = belongings.filter((writes) => {
    const fits = own.length + writes.length <= AT_ONCE
    if (fits) own.push(...writes)
    return !fits
  })
  await platform.table.write(own)
  for (const writes of rest) await platform.table.write(writes)
}

/** The writes that delete each thing that belongs to a node. */
export async function belongingsOf(table: Needs['table'], { uuid }: Node): Promise<Write[][]> {
  const ports = await portsOf(table, uuid)
  const groups = await portgroupsOf(table, uuid)
  return [
    ...ports.map((port) => portStore.writes(port, undefined)),
    ...groups.map((group) => portgroupStore.writes(group, undefined)),
    ...(await volumeDeletions(table, uuid)),
  ]
}

/** An allocation ends with the instance that it made. */
function withoutAllocation({ instance_info: { traits: _traits, ...info } }: Node): Partial<Node> {
  return { allocation_uuid: null, instance_info: info }
}

async function allocationDeletion({ table }: Needs, { allocation_uuid: uuid }: Node): Promise<Write[]> {
  const allocation = uuid === null ? undefined : await allocationStore.get(table, uuid)
  return allocation ? allocationStore.writes(allocation, undefined) : []
}

interface Unique {
  write: Write
  /** What to tell when it can't be. */
  clash?: UserError
}

function uniqueness(before: Node | undefined, after: Node | undefined): Unique[] {
  const of = (after ?? before) as Node
  const taken = (text: string): UserError => new UserError(409, text)
  const missing = (text: string): UserError => new UserError(400, text)
  return [
    ...swap(before?.name, after?.name, nodeNameKey, of, taken(`A node with name ${of.name} already exists.`)),
    ...swap(
      before?.instance_uuid,
      after?.instance_uuid,
      instanceKey,
      of,
      taken(
        `Instance ${of.instance_uuid} is already associated with a node, it cannot be associated with this other node ${of.uuid}`,
      ),
    ),
    ...swap(
      before && imageNamedBy(before),
      after && imageNamedBy(after),
      (image) => imageUseKey(image, of),
      of,
      undefined,
      undefined,
    ),
    ...membership(before?.chassis_uuid, after?.chassis_uuid, {
      item: (chassis) => memberKey(chassis, of),
      of: chassisStore.key,
      value: of,
      missing: missing(`Chassis ${of.chassis_uuid} could not be found.`),
    }),
    ...membership(before?.parent_node, after?.parent_node, {
      item: (parent) => childKey(parent, of),
      of: nodeKey,
      value: of,
      missing: missing(`Node ${of.parent_node}, which is to be the parent, could not be found.`),
    }),
  ]
}

type Value = string | null | undefined

function swap(
  before: Value,
  after: Value,
  key: (of: string) => Key,
  { uuid }: Node,
  clash: UserError | undefined,
  expect: 'absent' | undefined = 'absent',
): Unique[] {
  if ((before ?? null) === (after ?? null)) return []
  const item = (of: string) => ({ ...key(of), version: 1, value: { node: uuid } })
  return [
    ...(after
      ? [{ write: expect ? { put: item(after), expect } : { put: item(after) }, ...(clash && { clash }) }]
      : []),
    ...(before ? [{ write: { delete: key(before) } }] : []),
  ]
}

/** Something that the node is in, which keeps a list of its own, and which must exist. */
function membership(
  before: Value,
  after: Value,
  {
    item,
    of,
    value,
    missing,
  }: {
    item: (container: string) => Key
    of: (container: string) => Key
    value: Node
    missing: UserError
  },
): Unique[] {
  if (after === value.uuid) throw missing
  const swapped = swap(before, after, item, value, missing, undefined)
  return after && swapped.length > 0
    ? [{ write: { check: of(after), expect: 'present' }, clash: missing }, ...swapped]
    : swapped
}
