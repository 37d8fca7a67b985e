import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import { ConflictError, type Key, type Platform, type Write } from '../platform.ts'
import { historyOf } from './history.ts'
import { getNode, instanceKey, nodeItem, nodeKey, nodeNameKey } from './nodes.ts'
import { macKey, portKey, portsOf } from './ports.ts'

type Needs = Pick<Platform, 'table' | 'clock' | 'ids'>

/** What a node shall become, and what has to be written with it or not at all. */
export interface NodeChange {
  node: Node
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
  const after: Node = { ...change.node, version: before.version + 1, updated_at: now }
  const unique = uniqueness(before, after)
  const history = historyOf(before, after, { id: platform.ids.uuid(), now, ...change })
  const writes: Write[] = [
    { put: nodeItem(after), expect: before.version },
    ...unique.map(({ write }) => write),
    ...(change.writes ?? []),
    ...(history ? [{ put: history }] : []),
  ]
  try {
    await platform.table.write(writes)
    return after
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    const clash = unique[error.index - 1]?.clash
    if (clash) throw new UserError(409, clash)
    return undefined
  }
}

export async function createNode(platform: Needs, node: Node): Promise<void> {
  const unique = uniqueness(undefined, node)
  try {
    await platform.table.write([{ put: nodeItem(node), expect: 'absent' }, ...unique.map(({ write }) => write)])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw new UserError(409, unique[error.index - 1]?.clash ?? `A node with UUID ${node.uuid} already exists.`)
  }
}

/** With its ports, on condition that `node` is what is stored. History and what its site knows are cleared by the change feed. */
export async function deleteNode(platform: Needs, node: Node): Promise<void> {
  const ports = await portsOf(platform.table, node.uuid)
  const owned: Key[] = [
    ...(node.name === null ? [] : [nodeNameKey(node.name)]),
    ...(node.instance_uuid === null ? [] : [instanceKey(node.instance_uuid)]),
    ...ports.flatMap((port) => [portKey(port.uuid), macKey(port.address)]),
  ]
  await platform.table.write([
    { delete: nodeKey(node.uuid), expect: node.version },
    ...owned.map((key) => ({ delete: key })),
  ])
}

interface Unique {
  write: Write
  /** What to tell when it is taken. */
  clash?: string
}

function uniqueness(before: Node | undefined, after: Node): Unique[] {
  const value = { node: after.uuid }
  return [
    ...swap(before?.name, after.name, nodeNameKey, value, `A node with name ${after.name} already exists.`),
    ...swap(
      before?.instance_uuid,
      after.instance_uuid,
      instanceKey,
      value,
      `Instance ${after.instance_uuid} is already associated with a node, it cannot be associated with this other node ${after.uuid}`,
    ),
  ]
}

function swap(
  before: string | null | undefined,
  after: string | null,
  key: (of: string) => Key,
  value: unknown,
  clash: string,
): Unique[] {
  if ((before ?? null) === after) return []
  return [
    ...(after === null
      ? []
      : [{ write: { put: { ...key(after), version: 1, value }, expect: 'absent' as const }, clash }]),
    ...(before ? [{ write: { delete: key(before) } }] : []),
  ]
}
