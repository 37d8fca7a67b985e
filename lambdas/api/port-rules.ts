import { UserError } from '../../contract/api/faults.ts'
import { connectable } from '../../contract/provision-sets.ts'
import type { Node, Port } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { portgroupStore } from '../store/portgroups.ts'
import { portsOf } from '../store/ports.ts'
import { requireAllowed } from './authorization.ts'
import { namedNode } from './belonging.ts'
import type { Call } from './context.ts'
import { checkConnection } from './port-input.ts'

/** What may be changed of a port when (reference §1.7). `before` is undefined for a new one. */

const connectivity = ['portgroup_uuid', 'pxe_enabled', 'local_link_connection', 'physical_network'] as const

export async function checkPort(
  call: Call,
  platform: Pick<Platform, 'table'>,
  before: Port | undefined,
  after: Port,
  touched: Set<string>,
): Promise<Port> {
  if (before) await requireStill(platform, before.node_uuid)
  const node = await getNode(platform.table, after.node_uuid)
  if (node) {
    if (before && before.node_uuid !== after.node_uuid)
      requireAllowed(call, 'baremetal:port:create', await namedNode(call, platform, after.node_uuid))
    if (before) checkState(node, before, after)
  }
  if (touched.has('local_link_connection')) checkConnection(after.local_link_connection, call.var.minor)
  if (after.is_smartnic) checkSmart(after)
  await checkGroup(platform, after)
  return after
}

function checkState(node: Node, before: Port, after: Port): void {
  const active = node.instance_uuid !== null || node.provision_state === 'active'
  if (before.address !== after.address && active && !node.maintenance)
    throw new UserError(
      409,
      `Cannot update hardware address for port ${after.uuid} as node ${node.uuid} is active or associated with an instance, and not in maintenance.`,
    )
  const changed = connectivity.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
  if (changed.length > 0 && !connectable.has(node.provision_state) && !node.maintenance)
    throw new UserError(
      409,
      `Port ${after.uuid} can not have any connectivity attributes (${changed.join(', ')}) updated unless node ${node.uuid} is in a ${[...connectable].join(', ')} state or in maintenance mode. The current state is ${node.provision_state}.`,
    )
}

function checkSmart({ local_link_connection: connection }: Port): void {
  if (typeof connection['hostname'] !== 'string' || typeof connection['port_id'] !== 'string')
    throw new UserError(400, 'A smart NIC needs hostname and port_id in its local_link_connection.')
}

/** All ports of a portgroup are of its node and in one physical network. */
async function checkGroup({ table }: Pick<Platform, 'table'>, port: Port): Promise<void> {
  if (port.portgroup_uuid === null) return
  const group = await portgroupStore.get(table, port.portgroup_uuid)
  if (!group) throw new UserError(400, `Portgroup ${port.portgroup_uuid} could not be found.`)
  if (group.node_uuid !== port.node_uuid)
    throw new UserError(400, `Portgroup ${group.uuid} is of node ${group.node_uuid}, port ${port.uuid} of another.`)
  const others = (await portsOf(table, port.node_uuid)).filter(
    ({ uuid, portgroup_uuid: of }) => uuid !== port.uuid && of === group.uuid,
  )
  const odd = others.find(({ physical_network: network }) => network !== port.physical_network)
  if (odd)
    throw new UserError(
      409,
      `Port ${port.uuid} has physical network ${port.physical_network}, which is not that of portgroup ${group.uuid}: ${odd.physical_network}.`,
    )
}

/** While machines boot by it, a port stays as it is. */
export async function requireStill({ table }: Pick<Platform, 'table'>, node: string): Promise<void> {
  const found = await getNode(table, node)
  if (found?.operation && !found.maintenance)
    throw new UserError(
      409,
      `Node ${node} is ${found.provision_state}: its ports can't be changed until the current operation is completed.`,
    )
}
