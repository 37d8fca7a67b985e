import { UserError } from '../../contract/api/faults.ts'
import type { NetworkPort, Trunk } from '../../contract/network.ts'
import { ConflictError, type Platform, type Table, type Write } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { portStore, trunkStore } from './store.ts'

/** Trunks and the ports that are in them, which change in one transaction: a port is in one trunk at most, and a subport is bound where its
 * parent is. */

const OWNER = 'trunk:subport'

export function requireUntrunked({ uuid, trunk }: NetworkPort): void {
  if (trunk)
    throw new UserError(
      409,
      `Port ${uuid} is currently ${trunk.vlan === null ? 'a parent port' : 'a subport'} for trunk ${trunk.uuid}.`,
    )
}

export function requireFree(port: NetworkPort, as: string): void {
  requireUntrunked(port)
  if (port.bound || port.device_id !== '')
    throw new UserError(409, `Port ${port.uuid} is currently in use and is not eligible for use as ${as} port.`)
}

/** New, changed or gone, with its ports. */
export async function writeTrunk(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  before: Trunk | undefined,
  after: Trunk,
): Promise<Trunk>
export async function writeTrunk(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  before: Trunk,
  after: undefined,
): Promise<undefined>
export async function writeTrunk(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  before: Trunk | undefined,
  after: Trunk | undefined,
): Promise<Trunk | undefined> {
  const trunk = (after ?? before) as Trunk
  const now = clock.now().toISOString()
  const parent = await portStore.get(table, trunk.port_uuid)
  if (!parent) throw new UserError(404, `Port ${trunk.port_uuid} could not be found.`)
  if (parent.bound && before) await requireNoSwitch(table, trunk, parent.bound.node)
  const had = before?.sub_ports.map(({ port_uuid: port }) => port) ?? []
  const has = new Map(after?.sub_ports.map(({ port_uuid: port, vlan }) => [port, vlan]))
  const writes: Write[] = trunkStore.writes(before, after)
  const isParents = before === undefined || after === undefined
  if (isParents) {
    const is = after ? { uuid: trunk.uuid, vlan: null } : undefined
    writes.push(...change(parent, { trunk: is }, now))
  } else writes.push({ check: portStore.key(parent.uuid), expect: parent.version })
  for (const [port, vlan] of has)
    if (!had.includes(port)) writes.push(...(await joining(table, port, { uuid: trunk.uuid, vlan }, parent, now)))
  for (const port of had) if (!has.has(port)) writes.push(...(await leaving(table, port, now)))
  try {
    await table.write(writes)
    return after
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw new UserError(409, `Trunk ${trunk.uuid} or one of its ports was changed at the same moment, please retry.`)
  }
}

/** A switch's port gets its VLANs when a server starts. */
async function requireNoSwitch(table: Table, { uuid, port_uuid: parent }: Trunk, node: string): Promise<void> {
  if ((await getNode(table, node))?.network_interface !== 'neutron') return
  throw new UserError(
    409,
    `Trunk ${uuid} is on node ${node}, whose switch gets its VLANs when its server starts: detach port ${parent} from it first.`,
  )
}

async function joining(
  table: Table,
  uuid: string,
  trunk: { uuid: string; vlan: number },
  parent: NetworkPort,
  now: string,
): Promise<Write[]> {
  const port = await portStore.get(table, uuid)
  if (!port) throw new UserError(404, `Port ${uuid} could not be found.`)
  requireFree(port, 'a subport')
  return change(port, { trunk, device_owner: OWNER, ...placeOf(port, parent) }, now)
}

async function leaving(table: Table, uuid: string, now: string): Promise<Write[]> {
  const port = await portStore.get(table, uuid)
  return port ? change(port, { trunk: undefined, device_owner: '', ...placeOf(port, { bound: null }) }, now) : []
}

/** Bound where its parent is. */
function placeOf({ binding }: NetworkPort, { bound }: Pick<NetworkPort, 'bound'>) {
  return { bound, binding: { ...binding, host_id: bound?.node ?? '' } }
}

function change(port: NetworkPort, changes: Partial<NetworkPort>, now: string): Write[] {
  const after: NetworkPort = { ...port, ...changes, updated_at: now, version: port.version + 1 }
  return portStore.writes(port, after)
}

/** What goes with the binding of a port that is a trunk's parent: its subports are bound to the same card. */
export async function subPortsBound(
  table: Table,
  parent: NetworkPort,
  bound: NetworkPort['bound'],
  now: string,
): Promise<Write[]> {
  const trunk = parent.trunk?.vlan === null ? await trunkStore.get(table, parent.trunk.uuid) : undefined
  if (!trunk) return []
  const ports = await Promise.all(trunk.sub_ports.map(({ port_uuid: uuid }) => portStore.get(table, uuid)))
  return [
    { check: trunkStore.key(trunk.uuid), expect: trunk.version },
    ...ports.flatMap((port) => (port ? change(port, placeOf(port, { bound }), now) : [])),
  ]
}

/** What a trunk carries on its parent's card. */
export async function carriedBy(
  table: Table,
  parent: NetworkPort,
): Promise<Array<{ port: NetworkPort; vlan: number }>> {
  const trunk = parent.trunk?.vlan === null ? await trunkStore.get(table, parent.trunk.uuid) : undefined
  const found = await Promise.all(
    (trunk?.sub_ports ?? []).map(async ({ port_uuid: uuid, vlan }) => ({
      port: await portStore.get(table, uuid),
      vlan,
    })),
  )
  return found.flatMap(({ port, vlan }) => (port ? [{ port, vlan }] : []))
}
